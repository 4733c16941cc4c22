"""What a page says about its game, besides the board: version, title, and screen reader announcement."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils.timezone import now

from games import rules
from games.match import Status, StoredMatch
from games.models import SQUARE_FIELDS
from games.pages.board import strokes
from games.pages.game import GamePage
from games.pages.lobby import LobbyPage
from games.rules import Position
from games.storage.lobby import Lobby
from tests.support.many import game_of

FINISHED = Status.FINISHED


def played(
    moves: str = "", status: Status = Status.IN_PROGRESS, *, recorded: bool = True, **attributes: Any
) -> StoredMatch:
    """Return a game after these moves: alice is the host (O), bob the invited player (X)."""
    squares = {SQUARE_FIELDS[int(digit)]: "XO"[number % 2] for number, digit in enumerate(moves)}
    turn = {} if status is FINISHED else {"turn": "alice" if len(moves) % 2 else "bob"}
    game = game_of(status, 0, "alice", "bob", **turn | squares | attributes)
    game.recorded_moves = moves if recorded else None
    return game.match()


def test_version_only_grows() -> None:
    moves = "021354678"
    games = [played(status=Status.PENDING), played(status=Status.PENDING, expires_at=1)]
    games += [played(moves[:number]) for number in range(9)]
    games += [played(moves[:number], FINISHED) for number in range(5, 10)]
    versions = [GamePage(game, "", now()).version for game in games]
    assert versions == [0, 9, *range(10, 19), *range(25, 30)]
    assert [GamePage(game, "", now()).is_final for game in games] == [False, True, *[False] * 9, *[True] * 5]


@pytest.mark.parametrize(
    ("game", "viewer", "said", "title"),
    [
        (played("4"), "alice", "X played centre. Your turn.", "(1) Your turn: you play O"),
        (played("4"), "bob", "X played centre. alice's turn.", "alice's turn"),
        (played("40"), "", "O played top left. bob's turn.", "bob's turn"),
        (played("03142", FINISHED, result="bob"), "alice", "X played top right, top row. You lost. bob won.", None),
        (played("132546870", FINISHED, result="bob"), "bob", "X played top left, top row and diagonal. You won!", None),
        (played("40", FINISHED, result="bob", ending="late"), "bob", "You won: alice ran out of time.", None),
        (played(), "alice", "bob's turn.", "bob's turn"),
        (played("403", recorded=False), "alice", "Your turn: you play O.", "(1) Your turn: you play O"),
        (played(status=Status.PENDING), "alice", "Waiting for bob to accept.", "Waiting for bob to accept"),
    ],
)
def test_announcement_and_title_by_viewer(game: StoredMatch, viewer: str, said: str, title: str | None) -> None:
    page = GamePage(game, viewer, now())
    assert page.said == said
    if title:
        assert (page.title, page.my_turn) == (f"{title} · Tic-Tac-Toe", title.startswith("(1)"))


def test_lobby_title_counts_turns_and_version_depends_on_content() -> None:
    mine, theirs, invitation = played("4"), played("40"), played(status=Status.PENDING)
    page = LobbyPage(Lobby(received=[invitation], playing=[mine, theirs]), "alice", now())
    assert (page.my_turn, page.title) == (2, "(2) Your games · Tic-Tac-Toe")
    others = [
        Lobby(received=[invitation], playing=[theirs, mine]),
        Lobby(sent=[invitation], playing=[mine, theirs]),
        Lobby(received=[invitation], playing=[mine, theirs], older="PENDING_~1"),
    ]
    assert len({page.version, *(LobbyPage(lobby, "alice", now()).version for lobby in others)}) == 4
    turned = LobbyPage(Lobby(received=[invitation], playing=[mine, replace(theirs, board=mine.board)]), "alice", now())
    assert turned.version != page.version
    assert LobbyPage(Lobby(), "alice", now()).title == "Your games · Tic-Tac-Toe"


@pytest.mark.parametrize(
    ("moves", "lines"),
    [("03142", ["012"]), ("132546870", ["012", "048"]), ("021354678", []), ("04", [])],
)
def test_only_winning_lines_are_drawn(moves: str, lines: list[str]) -> None:
    *_, position = rules.replay(moves)
    assert [stroke.name for stroke in strokes(position)] == lines


def test_winning_stroke_extends_beyond_both_ends() -> None:
    assert [stroke.path for stroke in strokes(Position("XXXOO    "))] == ["M12 50Q150 55 288 50"]
    assert [stroke.path for stroke in strokes(Position("OOX X X  "))] == ["M288 12Q145 145 12 288"]
