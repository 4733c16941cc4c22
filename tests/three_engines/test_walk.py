"""The seed's walk, a rematch, and a replay, with Firefox against WebKit and WebKit against Firefox.

Chromium's walk is in tests/test_browsers.py.
"""

import pytest

from games import rules
from tests.conftest import stored
from tests.three_engines.conftest import Open
from tests.three_engines.people import Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session"),
    pytest.mark.parametrize(("x", "o"), [("Firefox", "WebKit"), ("WebKit", "Firefox")]),
]

# Moves, the stored result (a mark stands for its player), and the outcome for X and for O.
ENDINGS = {
    "win": ("03142", "X", "won", "lost"),
    "loss": ("031485", "O", "lost", "won"),
    "tie": ("021354678", "Tie", "tied", "tied"),
}


def play(moves: str, x: Person, o: Person) -> None:
    """Play to the end, checking after each move that both pages show it and that it is stored."""
    game_id, board = x.game_id, "-" * 9
    for number, square in enumerate(map(int, moves)):
        mover, other = (x, o) if number % 2 == 0 else (o, x)
        mover.press(square)
        board = f"{board[:square]}{'XO'[number % 2]}{board[square + 1 :]}"
        mover.shows(board)
        other.shows(board)
        assert stored(game_id).recorded_moves == moves[: number + 1]


@pytest.mark.parametrize("ending", ENDINGS)
def test_two_players_sign_up_and_play_to_each_ending(at: Open, x: str, o: str, ending: str) -> None:
    moves, result, for_x, for_o = ENDINGS[ending]
    host, invited = at(o), at(x)
    names = {"O": f"host-{o}-{ending}".lower(), "X": f"invited-{x}-{ending}".lower()}
    host.sign_up(names["O"])
    host.invite(names["X"])
    invited.sign_up(names["X"])
    invited.accept()
    host.until(lambda: host.count("#cancel") == 0, "news of the acceptance")
    play(moves, invited, host)
    invited.ended(for_x)
    host.ended(for_o)
    game = stored(invited.game_id)
    assert (game.match().status, game.result) == ("FINISHED", names.get(result, result))


def test_guest_joins_by_link_and_plays_rematch(at: Open, x: str, o: str) -> None:
    host, guest = at(o), at(x)
    guest.visit(host.offer_a_link())
    assert stored(guest.game_id).match().status == "PENDING"
    play(ENDINGS["win"][0], guest, host)  # The first move accepts the invitation and makes the visitor a guest.
    guest.ended("won")
    host.ended("lost")
    first = guest.game_id
    host.click("#rematch")
    host.until(lambda: host.game_id != first, "the rematch")
    guest.click("#rematch")
    guest.until(lambda: guest.game_id == host.game_id, "the same rematch")
    # The loser, who was O, moves first.
    host.until(lambda: host.count(".board button") == 9, "the first turn")
    play(ENDINGS["loss"][0], host, guest)
    host.ended("lost")
    guest.ended("won")


def test_computer_game_can_be_played_and_replayed(at: Open, x: str, o: str) -> None:
    person = at(x)
    person.visit("/")
    person.click('[name=level][value="perfect"]')
    person.press(4)
    while not person.count("#game[data-outcome]"):
        button = person.find(".board button:not([aria-disabled='true']), #game[data-outcome] #replay")
        if name := button.get_attribute("value"):
            person.press(rules.SQUARES.index(name))
    assert person.find("#game").get_attribute("data-outcome") != "won"
    step_through(person)


def step_through(person: Person) -> None:
    """Step through the replay from its end: back, forward, and to the first move."""
    count = len(stored(person.game_id).recorded_moves or "")
    person.click("#replay")
    person.until(lambda: person.board.count("-") == 9 - count, "the last move")
    for link, shown in (("#back", count - 1), ("#back", count - 2), ("#next", count - 1)):
        person.click(link)
        person.until(lambda shown=shown: person.board.count("-") == 9 - shown, f"move {shown}")  # type: ignore[misc]
    person.click("#move-1")
    person.until(lambda: person.board.count("-") == 8, "the first move")
    person.find('#move-1[aria-current="step"]')
