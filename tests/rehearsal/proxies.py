"""The load balancer in front of the instances."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.nginx import BALANCER, Nginx

CONFIGURATION = Path(__file__).with_name("balancer.conf")
# Shorter than AWS's 60 s, to shorten the rehearsal; streams send a comment every 15 s.
IDLE_SECONDS = 20


class Balancer(Nginx):
    """``ports`` are the instances' ports by name."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        super().__init__(folder)
        self.start(
            CONFIGURATION.read_text(),
            user=getpass.getuser(),
            address=BALANCER,
            idle=IDLE_SECONDS,
            servers=" ".join(map(_server, ports.values())),
            alone="\n  ".join(f"upstream without_{name} {{ {_others(ports, name)} }}" for name in ports),
            choice="\n    ".join(_choice(folder, name) for name in ports),
        )

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Send new requests to the other instances within the block."""
        out = self.folder / f"{name}.out"
        out.touch()
        try:
            yield
        finally:
            out.unlink()


def _server(port: int) -> str:
    # By default one failed request takes an instance out for ten seconds, which would hide later failures.
    return f"server 127.0.0.1:{port} max_fails=0;"


def _choice(folder: Path, name: str) -> str:
    return f"if (-f {folder}/{name}.out) {{ set $target without_{name}; }}"


def _others(ports: dict[str, int], name: str) -> str:
    return " ".join(_server(port) for other, port in ports.items() if other != name)
