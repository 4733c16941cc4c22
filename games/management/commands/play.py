import os
import signal
import socket
import tempfile
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from asgiref.wsgi import WsgiToAsgi
from django.conf import settings
from django.core.management.base import CommandError
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from dynamodb import embedded, provisioning
from dynamodb.client import warm_up
from dynamodb.items import where
from games.live.application import Live
from tictactoe_site import config, table
from tictactoe_site.commands import PLAYING, TableCommand
from tictactoe_site.handler import Handler
from tictactoe_site.jinja import compile_all

IN_MEMORY = "games are in memory until you stop it; to keep them: make run ENDPOINT=http://... or CONFIG_FILE=..."
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


class Command(TableCommand):
    help = (
        "Serve the site on this machine until you press Ctrl-C. Without CONFIG_FILE or --endpoint, start an embedded "
        "DynamoDB, which keeps the games in memory. If the table doesn't exist, create it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=_port, default=8080, help="the port; 0 picks a free one (default 8080)")
        parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 allows other machines (default 127.0.0.1)")

    def prepare(self, options: dict[str, Any]) -> None:
        """Do nothing yet: handle() may have to start the engine first."""

    def handle(self, *args: Any, **options: Any) -> None:
        with ExitStack() as resources:
            listener = _listener(options["host"], options["port"])
            endpoint = options["endpoint"]
            in_memory = not (endpoint or settings.CONFIG_NAMED)
            if in_memory:
                endpoint = resources.enter_context(embedded.process())
                with suppress(OSError):  # On a full disk, other commands just don't find the table.
                    PLAYING.write_text(endpoint)
                resources.callback(PLAYING.unlink, missing_ok=True)
            chosen = self.connect(endpoint)
            assert chosen  # If neither was given or one is wrong, connect() has raised ConfigError.
            kept = IN_MEMORY if in_memory else f"games are kept in the table {chosen.table} at {where()}"
            provisioning.create(lambda line: None, only_new=True)
            settings.SETUP_PROBLEM = ""
            # There's no load balancer in front, so nothing here speaks HTTPS.
            settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
            # Use a separate socket, because two sites on one machine may have different tables.
            settings.LIVE_SOCKET = f"{resources.enter_context(tempfile.TemporaryDirectory())}/live.sock"
            settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, *LOOPBACK] if options["host"] in LOOPBACK else ["*"]
            host, port = listener.getsockname()[:2]
            address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
            line = f"Playing at {address} ({kept}). Press Ctrl-C to stop."
            Server(listener, chosen, ready=partial(self.announce, line)).run()

    def announce(self, line: str) -> None:
        with suppress(OSError):  # The site works, too, if nobody can read this.
            self.stdout.write(line)
            self.stdout.flush()  # a pipe would buffer the line until the end


class Everything:
    """Both the streams and the pages, which run in threads. On a server each has its own process (Procfile)."""

    def __init__(self) -> None:
        self._live = Live()
        self._pages = WsgiToAsgi(Handler())
        compile_all()
        self.close = self._live.close

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self._live.serves(scope["path"]):
            await self._live(scope, receive, send)
        else:
            async with ThreadSensitiveContext():  # a thread for each request
                await self._pages(scope, receive, send)


class Server(BaseApplication):
    """gunicorn with one worker, as on Beanstalk but without its files. It calls ``ready`` once it answers."""

    def __init__(self, listener: socket.socket, chosen: config.Config, ready: Callable[[], None]) -> None:
        self.listener = listener
        self.chosen = chosen
        self.ready = ready
        super().__init__()

    def load_config(self) -> None:
        def after_fork(server: Any, worker: Any) -> None:
            # The worker can't share the connections that its parent used to create the table.
            table.bind(self.chosen)
            warm_up()

        def after_start(worker: Any) -> None:
            # Ctrl-C reaches both master and worker. gunicorn's handler, interrupted by the master's SIGQUIT, waits for
            # itself, and its threads would take 5 s to drop browsers' idle connections.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # The master decides about a closed terminal.
            signal.signal(signal.SIGQUIT, lambda number, frame: os._exit(0))
            if worker.age == 1:  # not when it replaces a crashed worker
                self.ready()

        options = {
            "bind": f"fd://{self.listener.detach()}",  # gunicorn owns and closes it from now on
            "worker_class": "games.live.worker.Worker",
            "workers": 1,  # WEB_CONCURRENCY is for servers
            "loglevel": "warning",
            "graceful_timeout": 3,
            "control_socket_disable": True,
            "post_fork": after_fork,
            "post_worker_init": after_start,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return Everything()

    def run(self) -> None:
        Master(self).run()


class Master(Arbiter):
    """gunicorn's master, except that it stops when its terminal closes (not after nohup): it has no files to reload."""

    def init_signals(self) -> None:
        before = signal.getsignal(signal.SIGHUP)
        super().init_signals()
        if before == signal.SIG_IGN:
            signal.signal(signal.SIGHUP, before)

    def handle_hup(self) -> None:
        self.handle_int()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise ArgumentTypeError(f"{text!r} isn't a port: give a number from 0 to 65535")
    return int(text)


def _listener(host: str, port: int) -> socket.socket:
    is_v6 = ":" in host
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, dualstack_ipv6=is_v6)
    except (OSError, UnicodeError, TypeError) as exc:
        reason = str(getattr(exc, "strerror", None) or exc).partition(" (while ")[0]
        what = f"Can't listen on {host}:{port} ({reason})"
        raise CommandError(f"{what}: choose another port with PORT=8081 or --port.") from exc
