"""A browser with undecorated WebKitGTK windows for WebKitWebDriver: MiniBrowser's can't be as narrow as a phone.

Debian's python3 runs this file, with python3-gi and gir1.2-webkit2-4.1. Nothing imports it.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")

from gi.repository import Gtk, WebKit2  # noqa: E402 -- the versions must be chosen first

VERSION = (WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
LISTEN = """
const tell = (error) => window.webkit.messageHandlers.errors.postMessage(String(error));
window.addEventListener("error", ({ message }) => tell(message));
window.addEventListener("unhandledrejection", ({ reason }) => tell(reason));
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-javascript", action="store_true")
    parser.add_argument("--font-size", type=int, default=16, help="the default font size that the user has chosen")
    parser.add_argument("--errors", type=Path, default=Path(os.devnull), help="the file for scripts' uncaught errors")
    options = parser.parse_args()
    context = WebKit2.WebContext.new_ephemeral()
    context.set_automation_allowed(True)
    context.connect("automation-started", _start, context, options)
    Gtk.main()


def _start(_: object, session: Any, context: Any, options: argparse.Namespace) -> None:
    """Identify the browser to the driver, and open a window whenever it asks for one."""
    information = WebKit2.ApplicationInfo()
    information.set_name(Path(__file__).stem)
    information.set_version(*VERSION)
    session.set_application_info(information)
    session.connect("create-web-view", lambda *_: _open(context, options))


def _open(context: Any, options: argparse.Namespace) -> Any:
    """Return the view of a new window. All windows share cookies and storage."""
    settings = WebKit2.Settings(enable_javascript=not options.no_javascript, default_font_size=options.font_size)
    view = WebKit2.WebView(
        web_context=context,
        settings=settings,
        user_content_manager=_reporting(options.errors),
        is_controlled_by_automation=True,
    )
    window = Gtk.Window(decorated=False, default_width=1280, default_height=900)
    window.add(view)
    window.show_all()
    view.connect("close", lambda _: window.destroy())
    return view


def _reporting(path: Path) -> Any:
    """Return a content manager that writes each page's uncaught errors into the file, one per line."""

    def write(_: object, result: Any) -> None:
        with path.open("a") as file:
            file.write(" ".join(result.get_js_value().to_string().split()) + "\n")

    manager = WebKit2.UserContentManager()
    manager.connect("script-message-received::errors", write)
    manager.register_script_message_handler("errors")
    frames, time = WebKit2.UserContentInjectedFrames.ALL_FRAMES, WebKit2.UserScriptInjectionTime.START
    manager.add_script(WebKit2.UserScript.new(LISTEN, frames, time, None, None))
    return manager


if __name__ == "__main__":
    main()
