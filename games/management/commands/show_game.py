from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.names import printable
from games.errors import NotFound, UnreadableGame
from games.match import StoredMatch
from games.pages.board import SPOKEN
from games.pages.game import details, times
from games.rules import Mark
from games.storage import queries
from tictactoe_site.commands import TableCommand


class Command(TableCommand):
    help = "Show one game: its players, board, moves in order (if recorded) and times."
    errors = (*TableCommand.errors, NotFound, UnreadableGame)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("game_id", type=_game_id, metavar="GAME_ID", help="as in its address and in list_games")
        parser.add_argument("--json", action="store_true", help="print the JSON of /games/<id>/state/, plus the times")

    def handle(self, *args: Any, **options: Any) -> None:
        game = queries.game(str(options["game_id"]))
        if options["json"]:
            self.print_json(details(game))
            return
        x, o = (printable(game.player_of(mark) or "nobody yet") for mark in Mark)
        self.stdout.write(f"{x} (X) vs. {o} (O)")
        self.stdout.write(f"{game.stored_status}, {printable(_standing(game))}\n")
        if game.score:
            score = f"score before ({game.host}, {game.opponent}, ties): {game.score}"
            self.stdout.write(f"{printable(score)}\n")
        lines = [" " + " | ".join(game.board[start : start + 3]) for start in (0, 3, 6)]
        self.stdout.write("\n---+---+---\n".join(lines) + "\n")
        for number, digit in enumerate(game.moves or "", start=1):
            self.stdout.write(f"{number}. {'XO'[(number - 1) % 2]} {SPOKEN[int(digit)]}")
        if game.moves is None:
            self.stdout.write("The order of the moves wasn't recorded.")
        for label, moment in times(game).items():
            self.stdout.write(f"{label}: {moment or '-'}")


def _game_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r:.60} isn't a game's id: give the UUID that list_games prints") from None


def _standing(game: StoredMatch) -> str:
    if game.needs_settling:
        return f"but the board shows the result {game.result}: that is stored when a player opens the game"
    if game.is_late(datetime.now(UTC)):
        return f"turn {game.whose_turn}, but time is up: the game ends when somebody opens it"
    why = f" ({game.ending})" if game.ending else ""
    return f"result {game.result}{why}" if game.result else f"turn {game.whose_turn or '-'}"
