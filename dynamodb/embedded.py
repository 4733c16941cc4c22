"""An in-memory DynamoDB for local use: moto's server, on a free port of the loopback address.

Its conditional writes aren't atomic, so it handles one request at a time. Run as a program, it prints its address and
exits when its standard input closes. That happens however the parent process ends.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

HOST = "127.0.0.1"


@contextmanager
def process() -> Iterator[str]:
    """Run the server in a child process during the block, and yield its address. It also ends with this process."""
    # moto would read the AWS profile of this machine, which may be broken.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    # -P and the path: the current directory and PYTHONSAFEPATH don't matter.
    # A new session keeps Ctrl-C in the terminal away from the server: this process still needs the table then.
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environ | files,
    ) as engine:
        assert engine.stdout
        address = engine.stdout.readline().strip()
        if not address:
            raise RuntimeError("The embedded DynamoDB didn't start: see its error above.")
        yield address


def one_at_a_time(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return the WSGI application with a lock around it, held until the whole response is ready."""
    lock = threading.Lock()

    def locked(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with lock:
            return list(application(environ, start_response))

    return locked


def main() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server(HOST, 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # If the parent has already ended, nobody reads the address, and standard input is closed.
    with suppress(BrokenPipeError):
        print(f"http://{HOST}:{server.server_port}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
