"""The base classes of the commands: how they print, and how they exit on errors."""

import json
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dynamodb.client import warm_up
from dynamodb.errors import StoreUnavailable
from tictactoe_site import config, table

PLAYING = config.BASE_DIR / ".playing"  # the address of the DynamoDB that ``manage.py play`` has embedded


class SiteCommand(BaseCommand):
    """A command with an ``epilog`` at the end of its ``--help``, for exit codes and other explanations."""

    requires_system_checks = ()
    epilog = ""
    verbosity = 1
    # Errors whose message is all that the operator needs.
    errors: tuple[type[Exception], ...] = (StoreUnavailable,)

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.verbosity = options["verbosity"]
        try:
            self.prepare(options)
            return super().execute(*args, **options)
        except config.ConfigError as exc:
            raise CommandError(str(exc), returncode=2) from exc
        except self.errors as exc:
            raise CommandError(str(exc)) from exc

    def prepare(self, options: dict[str, Any]) -> None:
        """Do what comes before ``handle``. Raises ConfigError, StoreUnavailable, or one of ``errors``."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=self.epilog, **kwargs)

    def print_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2))

    def say(self, line: str) -> None:
        """Print a message to the person at the terminal on stderr, apart from the data on stdout; not with ``-v 0``."""
        if self.verbosity:
            self.stderr.write(line)


class TableCommand(SiteCommand):
    """A command that uses the table: the one in CONFIG_FILE, or at the address in ``--endpoint``."""

    epilog = "Exit codes: 0 done; 1 failed, or the table has a problem; 2 wrong configuration or parameter."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        explanation = "DynamoDB's address, e.g. http://127.0.0.1:8000 for DynamoDB Local; overrides CONFIG_FILE's"
        parser.add_argument("--endpoint", metavar="URL", help=explanation)
        return parser

    def prepare(self, options: dict[str, Any]) -> None:
        """Bind the models to the table. A dry run sends nothing, and takes the default one, to which they are bound."""
        if not options.get("dry_run") or settings.CONFIG_NAMED or options["endpoint"]:
            self.connect(options["endpoint"])

    def connect(self, endpoint: str | None) -> config.Config | None:
        """Bind the models to the chosen table, and return its Config. Raises ConfigError or StoreUnavailable."""
        if not endpoint and not settings.CONFIG_NAMED and (endpoint := _playing()):
            self.say(f"Using the table of the running `make run`, at {endpoint}.")
        if settings.SETUP_PROBLEM and (settings.CONFIG_NAMED or not endpoint):
            raise config.ConfigError(settings.SETUP_PROBLEM)
        chosen: config.Config | None = settings.CONFIG
        if endpoint:
            chosen = config.for_endpoint(endpoint, base=chosen)
        if chosen:
            table.bind(chosen, patient=True)
            warm_up()
        return chosen


def _playing() -> str | None:
    """Return the address of the DynamoDB that a running ``manage.py play`` has embedded, or None."""
    with suppress(OSError, ValueError):
        address = urlsplit(PLAYING.read_text())
        socket.create_connection((address.hostname, address.port), timeout=1).close()
        return address.geturl()
    return None
