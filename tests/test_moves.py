"""Moves over HTTP: pages, fragments, JSON, and every way a move can be invalid."""

import pytest
from django.core.signing import Signer
from django.test import Client

from games import rules
from games.models import Game
from tests.conftest import stored
from tests.support.pages import HTMX, JSON, position_in, unmarked


@pytest.fixture
def url(alice: Client, bob: Client) -> str:
    """Start a game in which bob is X and moves first; return its URL."""
    address = str(alice.post("/games/new/", {"opponent": "bob"})["Location"])
    bob.post(f"{address}accept/")
    return address


def game_in(url: str) -> Game:
    return stored(url.split("/")[2])


def play(url: str, moves: str, *players: Client) -> None:
    for number, digit in enumerate(moves):
        answer = players[number % 2].post(f"{url}move/", {"square": rules.SQUARES[int(digit)]})
        assert answer.status_code == 303, answer.content.decode()


def test_move_is_answered_with_redirect_fragment_or_json(url: str, alice: Client, bob: Client) -> None:
    assert bob.post(f"{url}move/", {"square": "TopLeft"})["Location"] == url
    fragment = alice.post(f"{url}move/", {"square": "MiddleMiddle"}, headers=HTMX)
    assert fragment.status_code == 200
    assert "bob&#39;s turn." in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    data = bob.post(f"{url}move/", {"square": "TopMiddle"}, headers=JSON).json()
    assert data["board"] == ["X", "X", " ", " ", "O", " ", " ", " ", " "]
    assert (data["turn"], data["moves"], data["status"], data["result"]) == ("alice", "041", "IN_PROGRESS", None)


@pytest.mark.parametrize(
    ("moves", "alice_reads", "bob_reads", "charlie_reads"),
    [
        ("03142", "You lost. bob won.", "You won!", "bob won."),
        ("031485", "You won!", "You lost. alice won.", "alice won."),
        ("021354678", "It&#39;s a tie.", "It&#39;s a tie.", "It&#39;s a tie."),
        ("031457682", "You lost. bob won.", "You won!", "bob won."),
    ],
)
def test_each_viewer_reads_the_right_result(
    url: str, alice: Client, bob: Client, moves: str, alice_reads: str, bob_reads: str, charlie_reads: str
) -> None:
    play(url, moves, bob, alice)
    for client, sentence in ((alice, alice_reads), (bob, bob_reads), (Client(), charlie_reads)):
        page = unmarked(client.get(url))
        assert f'tabindex="-1">{sentence}</h1>' in page
        assert 'name="square"' not in page
    result = "Won" if "won!" in alice_reads else "Lost" if "lost" in alice_reads else "Tied"
    assert f"<span>{result}</span>" in unmarked(alice.get("/"))


def test_winning_line_and_last_move_are_marked(url: str, alice: Client, bob: Client) -> None:
    play(url, "03142", bob, alice)
    page = bob.get(url).content.decode()
    assert page.count('class="winning') == page.count(", winning line") == 3
    assert page.count('last"') == page.count(", last move") == 1
    assert "Top right, X, last move, winning line" in page


def test_only_player_to_move_gets_buttons(url: str, alice: Client, bob: Client, charlie: Client) -> None:
    assert bob.get(url).content.decode().count('name="square"') == 9
    for client in (alice, charlie, Client()):
        assert 'name="square"' not in client.get(url).content.decode()


@pytest.mark.parametrize("square", ["", "Result", "topleft", "9", "StatusDate", "TopLeft\x00", "x" * 9999, "#", "é"])
def test_invalid_square_is_400_and_writes_nothing(url: str, bob: Client, square: str) -> None:
    before = game_in(url).attribute_values
    for form in ({"square": square}, {"cell": square}, {}):
        answer = bob.post(f"{url}move/", form, headers=JSON)
        assert answer.status_code == 400
        assert "not a square" in answer.json()["error"]
        assert len(answer.content) < 400
    assert game_in(url).attribute_values == before


def test_illegal_move_is_409_with_board(url: str, alice: Client, bob: Client) -> None:
    play(url, "4", bob, alice)
    for client, square, sentence in ((bob, "TopLeft", "not your turn"), (alice, "MiddleMiddle", "taken")):
        answer = client.post(f"{url}move/", {"square": square}, headers=JSON)
        assert answer.status_code == 409
        assert sentence in answer.json()["error"]
        assert answer.json()["moves"] == "4"
        page = client.post(f"{url}move/", {"square": square})
        assert (page.status_code, 'id="game"' in page.content.decode()) == (409, True)
    assert game_in(url).recorded_moves == "4"


def test_move_in_finished_game_is_409(url: str, alice: Client, bob: Client) -> None:
    play(url, "03142", bob, alice)
    answer = alice.post(f"{url}move/", {"square": "BottomRight"}, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (409, "This game is over.")
    assert game_in(url).recorded_moves == "03142"


def test_spectator_can_view_but_move_is_403(url: str, bob: Client, charlie: Client) -> None:
    position = position_in(bob.get(url))
    before = game_in(url).attribute_values
    for client in (charlie, Client()):
        assert client.get(url).status_code == 200
        assert client.post(f"{url}move/", {"square": "TopLeft"}).status_code == 403
        assert client.post(f"{url}move/", {"square": "TopLeft", "position": position}).status_code == 403
    assert game_in(url).attribute_values == before


def test_move_from_stale_tab_is_409_with_current_board(url: str, alice: Client, bob: Client) -> None:
    old = position_in(bob.get(url))
    play(url, "40", bob, alice)
    answer = bob.post(f"{url}move/", {"square": "BottomRight", "position": old}, headers=HTMX)
    assert answer.status_code == 409
    assert "moved on" in answer.content.decode()
    assert answer.content.decode().count('name="square"') == 7
    assert game_in(url).recorded_moves == "40"


def test_repeated_move_is_idempotent(url: str, bob: Client) -> None:
    form = {"square": "TopLeft", "position": position_in(bob.get(url))}
    assert [bob.post(f"{url}move/", form).status_code for _ in range(2)] == [303, 303]
    assert game_in(url).recorded_moves == "0"


def test_repeated_move_without_position_is_idempotent(url: str, alice: Client, bob: Client) -> None:
    assert [bob.post(f"{url}move/", {"square": "TopLeft"}).status_code for _ in range(2)] == [303, 303]
    assert alice.post(f"{url}move/", {"square": "TopLeft"}).status_code == 409
    assert game_in(url).recorded_moves == "0"


def test_repeated_move_against_computer_is_idempotent(alice: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "computer"})["Location"]
    square = alice.get(url).content.decode().split('name="square" value="')[1].split('"')[0]
    answers = [alice.post(f"{url}move/", {"square": square}, headers=JSON) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["moves"] == answers[1].json()["moves"] == game_in(url).recorded_moves


def test_position_signed_by_previous_version_is_accepted(url: str, bob: Client) -> None:
    """Such a position contains neither the O player nor the pace; both versions serve requests during a deployment."""
    now = game_in(url).match()
    older = [now.game_id, now.host, now.opponent, now.computer, now.status, now.board, now.moves]
    position = Signer(salt="games.position").sign_object(older, compress=True)
    answer = bob.post(f"{url}move/", {"square": "TopLeft", "position": position}, headers=JSON)
    assert (answer.status_code, answer.json()["moves"]) == (200, "0")


def test_forged_or_foreign_position_is_400(url: str, alice: Client, bob: Client) -> None:
    position = position_in(bob.get(url))
    other = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    for forged in (position[:-1], position + "x", "x", "{}", "a:b:c", position_in(bob.get(other)), "\x00", "é" * 50):
        answer = bob.post(f"{url}move/", {"square": "TopLeft", "position": forged}, headers=JSON)
        assert answer.status_code == 400, forged
        assert "position" in answer.json()["error"]
    assert game_in(url).match().moves == ""


def test_move_without_csrf_token_is_403(url: str, bob: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = bob.cookies
    for headers, content in (({}, "Open it again"), (JSON, '"error"')):
        answer = strict.post(f"{url}move/", {"square": "TopLeft"}, headers=headers)
        assert answer.status_code == 403
        assert content in answer.content.decode()
    assert game_in(url).match().moves == ""


def test_move_against_computer_is_answered_with_its_reply(alice: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "computer"})["Location"]
    page = alice.get(url).content.decode()
    assert page.count('name="square"') == 8
    assert "Your turn: you play O." in page
    free = page.split('name="square" value="')[1].split('"')[0]
    data = alice.post(f"{url}move/", {"square": free}, headers=JSON).json()
    assert (data["opponent"], data["turn"], len(data["moves"])) == ("computer", "alice", 3)
    assert "computer" in alice.get("/").content.decode()


def test_waiting_page_refreshes_without_scripts_unless_still(url: str, alice: Client) -> None:
    refresh = '<noscript><meta http-equiv="refresh"'
    assert refresh in alice.get(url).content.decode()
    still = alice.get(url, {"still": 1}).content.decode()
    assert refresh not in still
    assert f'<a href="{url}?still=1">Look again</a>' in still
