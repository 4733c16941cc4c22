"""nginx as tests run it: on an instance, with this project's piece of its configuration, and as a load balancer."""

import shutil
import subprocess
from pathlib import Path

from tests.support.engines import free_port, missing, wait_for_port

# Who connects from here is a load balancer to nginx: this project's piece has a private range in its place.
BALANCER = "127.0.0.2"
PRIVATE = "10.0.0.0/8"
PORTS = {"web": 8000, "live": 8001}  # of the Procfile, which the project's piece has too
PLATFORM = Path(__file__).with_name("platform.conf")


class Nginx:
    """Its files are in ``folder``, which is there."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, template: str, **values: object) -> None:
        """The template is a format string, of which {folder} and {port} are this one's."""
        if not shutil.which("nginx"):
            missing("nginx")
        text = template.format(folder=self.folder, port=self.port, **values)
        (self.folder / "nginx.conf").write_text(text)
        self._process = subprocess.Popen(
            ["nginx", "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "nginx.log")]
        )
        wait_for_port(self.port)

    def start_on_instance(self, project: Path, ports: dict[str, int]) -> None:
        """As the platform has it, before the processes of the project or bundle that is in the folder ``project``."""
        copy_piece(project, self.folder / "conf.d", ports)
        self.start(PLATFORM.read_text())

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


def copy_piece(project: Path, folder: Path, ports: dict[str, int]) -> None:
    """The project's piece of nginx's configuration. On one machine each instance needs ports of its own."""
    shutil.copytree(project / ".platform/nginx/conf.d", folder, dirs_exist_ok=True)
    changes = {f"127.0.0.1:{PORTS[name]}": f"127.0.0.1:{port}" for name, port in ports.items()}
    changes[PRIVATE] = f"{BALANCER}/32"
    for file in folder.rglob("*.conf"):
        text = file.read_text()
        for written, meant in changes.items():
            text = text.replace(written, meant)
        file.write_text(text)
