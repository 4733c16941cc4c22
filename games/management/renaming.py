"""The base of the commands that take a player's name out of the games."""

from argparse import ArgumentParser
from datetime import UTC, datetime

from django.core.management.base import CommandError

from accounts import store
from accounts.names import printable
from games.storage import queries, renaming
from tictactoe_site.commands import TableCommand

# How long one round takes, after which the command says how far it is.
ROUND_SECONDS = 2.0
LATE = "Sessions end within five minutes: then run this again, in case a game was begun meanwhile."


class RenamingCommand(TableCommand):
    """A command that may be interrupted and run again."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", dest="only_count", action="store_true", help="only say what would be done")

    def games_of(self, name: str) -> int:
        return len(queries.of_player(name, None, queries.ALL))

    def check_known(self, name: str) -> None:
        """Raise CommandError if nobody has this name."""
        if not self.is_known(name):
            raise CommandError(f"Nobody is called {printable(name)}: give the name as list_games prints it.")

    def is_known(self, name: str) -> bool:
        """Whether anybody has this name, or has had it lately: an account, or a game."""
        return store.is_claimed(name) or bool(queries.of_player(name, None, 1))

    def rename_games(self, old: str, new: str) -> None:
        """Give all games of ``old`` to ``new``, and say how many are left from time to time."""
        while not renaming.rename(old, new, datetime.now(UTC), seconds=ROUND_SECONDS):
            self.say(f"{self.games_of(old)} games are left.")
        if left := self.games_of(old):
            self.say(f"{left} games keep the old name: they are damaged (list_games --player shows them).")
