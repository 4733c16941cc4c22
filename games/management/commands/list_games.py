from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from accounts.names import printable
from games.errors import UnreadableGame
from games.match import Status
from games.pages.game import summary
from games.storage import queries
from tictactoe_site.commands import TableCommand


class Command(TableCommand):
    help = (
        "List games, one per line: id, status, host, opponent, result, and when the status began (UTC). With --player, "
        "read the two indexes, newest first. Without it, scan the whole table, and pay for reading all of it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--player", metavar="NAME", help="only NAME's games")
        parser.add_argument("--status", type=_status, metavar="STATUS", help=f"only games that are {', '.join(Status)}")
        parser.add_argument("--limit", type=_count, default=100, metavar="N", help="at most N games (default 100)")
        parser.add_argument("--json", action="store_true", help="print a JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        found = self._found(options["player"], options["status"], options["limit"])
        if options["json"]:
            self.print_json(found)
            return
        self.stdout.write("ID  STATUS  HOST  OPPONENT  RESULT  SINCE (UTC)") if found else self.say("No games found.")
        for game in found:
            self.stdout.write("  ".join(printable(str(value or "-")) for value in game.values()))

    def _found(self, player: str | None, status: Status | None, limit: int) -> list[dict[str, Any]]:
        if player is not None:
            # The AWS example kept names as they were typed; this site folds their case.
            entries = queries.of_player(player, status, limit) or queries.of_player(player.casefold(), status, limit)
            return [_unreadable(each.game_id) if each.is_damaged else summary(each) for each in entries]
        self.say("Scanning the whole table.")
        found = queries.of_everybody(status, limit).items()
        return [_unreadable(key, game) if isinstance(game, UnreadableGame) else summary(game) for key, game in found]


def _unreadable(game_id: str, why: object = "See show_game.") -> dict[str, Any]:
    return {"gameId": game_id, "status": "UNREADABLE", "reason": str(why)}


def _status(text: str) -> Status:
    try:
        return Status(text.upper())
    except ValueError:
        raise ArgumentTypeError(f"{text!r} isn't a status: give {', '.join(Status)}") from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 1_000_000):
        raise ArgumentTypeError(f"{text!r} isn't a valid count: give a number from 1 to 1000000")
    return int(text)
