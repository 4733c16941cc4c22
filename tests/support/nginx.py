"""nginx for tests: on an instance with this project's configuration, or as a load balancer."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.support.engines import free_port, missing, wait_for_port

# nginx trusts this address as a load balancer; this project's configuration has a private range instead.
BALANCER = "127.0.0.2"
PRIVATE = "10.0.0.0/8"
PORTS = {"web": 8000, "live": 8001}  # as in the Procfile and the project's configuration
PLATFORM = Path(__file__).with_name("platform.conf")


class Nginx:
    """An nginx with its files in ``folder``, which must exist."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, template: str, **values: object) -> None:
        """Start nginx. The template is a format string; {folder} and {port} are filled in."""
        if not shutil.which("nginx"):
            missing("nginx")
        text = template.format(folder=self.folder, port=self.port, **values)
        (self.folder / "nginx.conf").write_text(text)
        self._process = subprocess.Popen(
            ["nginx", "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "nginx.log")]
        )
        wait_for_port(self.port)

    def start_on_instance(self, project: Path, ports: dict[str, int], *, limited: bool = True) -> None:
        """Start nginx as the platform does, in front of the processes of the project or bundle in ``project``.

        If it isn't ``limited``, one address may send and open as much as all together: benchmarks have only one.
        """
        copy_piece(project, self.folder / "conf.d", ports)
        if not limited:
            for file in self.folder.glob("conf.d/**/*.conf"):
                file.write_text(re.sub(r"(rate=|limit_conn streams_of_network )\d+", r"\g<1>50000", file.read_text()))
        self.start(PLATFORM.read_text())

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


def copy_piece(project: Path, folder: Path, ports: dict[str, int]) -> None:
    """Copy the project's nginx configuration with other ports: on one machine each instance needs its own."""
    shutil.copytree(project / ".platform/nginx/conf.d", folder, dirs_exist_ok=True)
    changes = {f"127.0.0.1:{PORTS[name]}": f"127.0.0.1:{port}" for name, port in ports.items()}
    changes[PRIVATE] = f"{BALANCER}/32"
    for file in folder.rglob("*.conf"):
        text = file.read_text()
        for written, meant in changes.items():
            text = text.replace(written, meant)
        file.write_text(text)
