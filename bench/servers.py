"""Which ASGI server holds event streams best: the same thin application runs under each, one after the other.

All servers are installed into a temporary environment, at the versions below, unless ``--python`` names one.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import crowd, usage
from tests.support.engines import free_port, wait_for_port
from tests.support.processes import children_of, comes_true
from tictactoe_site.config import BASE_DIR

VERSIONS = ["gunicorn==27.0.1", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0", "granian==2.8.7"]
GUNICORN = "gunicorn bench.thin:app -k asgi -b 127.0.0.1:{port} --worker-connections 20000 --backlog 4096"
GUNICORN += " --graceful-timeout 5 --no-control-socket --log-level error --asgi-loop {loop}"
UVICORN = "uvicorn bench.thin:app --host 127.0.0.1 --port {port} --http httptools --backlog 4096"
UVICORN += " --timeout-graceful-shutdown 5 --log-level error --loop {loop}"
GRANIAN = "granian bench.thin:app --interface asgi --host 127.0.0.1 --port {port} --backlog 20000 --backpressure 20000"
GRANIAN += " --workers-kill-timeout 5 --log-level error --loop {loop}"
LOOPS = ("asyncio", "uvloop")
SERVERS = {
    f"{name}, {loop}": command.replace("{loop}", loop)
    for name, command in (("gunicorn asgi", GUNICORN), ("uvicorn", UVICORN), ("granian", GRANIAN))
    for loop in LOOPS
}
ROUNDS = 10  # each sends one event to all streams


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    address: str

    @property
    def pids(self) -> list[int]:
        return [self.process.pid, *children_of(self.process.pid)]

    @property
    def resident_mb(self) -> float:
        return sum(map(usage.resident_mb, self.pids))

    @property
    def cpu(self) -> float:
        return sum(map(usage.cpu_seconds, self.pids))


@contextmanager
def running(python: Path, command: str) -> Iterator[Server]:
    port = free_port()
    words = command.format(port=port).split()
    # Raise the limit on file descriptors for all servers alike.
    raised = ["sh", "-c", 'ulimit -n $(ulimit -Hn); exec "$@"', "sh", str(python.parent / words[0]), *words[1:]]
    with subprocess.Popen(raised, cwd=BASE_DIR, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for_port(port)
            time.sleep(2)  # until its startup is complete
            yield Server(process, f"http://127.0.0.1:{port}")
        finally:
            process.kill()


def measured(server: Server, streams: int, seconds: float) -> str:
    with crowd.gathered() as watchers:
        megabytes, cpu = server.resident_mb, server.cpu
        opened = watchers.open(server.address, ["/events/"] * streams)
        assert opened == {200: streams}, opened
        connecting = server.cpu - cpu
        each = (server.resident_mb - megabytes) * 1024 / streams
        [*idle] = usage.cpu_percent(server.pids, lambda: time.sleep(seconds))
        fanning = fanned_out(server, watchers, streams)
        stop = stopped(server)
    figures = (megabytes, each, sum(idle), connecting / streams * 1e6, fanning / (streams * ROUNDS) * 1e6)
    return "{:9.0f} {:10.1f} {:8.1f} {:12.0f} {:10.0f} ".format(*figures) + f"{stop:>9}"


def fanned_out(server: Server, watchers: crowd.Handle, streams: int) -> float:
    """Return the CPU seconds that ROUNDS events to all streams took."""
    watchers.heard()
    before, heard = server.cpu, 0
    for _ in range(ROUNDS):
        urllib.request.urlopen(urllib.request.Request(server.address, method="POST"), timeout=10).read()
        deadline = time.monotonic() + 30
        round_heard = 0
        while round_heard < streams and time.monotonic() < deadline:
            time.sleep(0.05)
            round_heard += sum(event.name == "board" for event in watchers.heard())
        heard += round_heard
    assert heard == streams * ROUNDS, f"{heard} of {streams * ROUNDS} events arrived"
    return server.cpu - before


def stopped(server: Server) -> str:
    """Return how long the server took to stop on SIGTERM with all streams open, up to 30 s."""
    start = time.monotonic()
    server.process.terminate()
    ended = comes_true(lambda: server.process.poll() is not None, 30)
    return f"{time.monotonic() - start:.1f} s" if ended else "> 30 s"


@contextmanager
def environment(given: Path | None) -> Iterator[Path]:
    """Yield a Python that has the servers."""
    if given:
        yield given.absolute()
        return
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *VERSIONS], check=True)
        yield python


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.servers", description=__doc__)
    parser.add_argument("--python", type=Path, help="a Python that has the servers (default: a temporary environment)")
    parser.add_argument("--streams", type=int, default=5000)
    parser.add_argument("--quick", action="store_true", help="500 streams, idle for 16 s instead of 45 s")
    given = parser.parse_args()
    streams, seconds = (500, 16) if given.quick else (given.streams, 45)
    print(f"{streams:,} streams; Python {sys.version.split()[0]} on {socket.gethostname()}", ", ".join(VERSIONS))
    print(
        f"{'':18} {'empty, MB':>9} {'KB/stream':>10} {'idle, %':>8} {'us/connect':>12} {'us/event':>10} {'SIGTERM':>9}"
    )
    with environment(given.python) as python:
        for name, command in SERVERS.items():
            with running(python, command) as server:
                print(f"{name:18} {measured(server, streams, seconds)}", flush=True)


if __name__ == "__main__":
    main()
