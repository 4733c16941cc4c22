"""The welcome page, where a visitor can play at once; and the previews of links."""

import re
from datetime import UTC, datetime, timedelta
from gzip import compress
from typing import Any

import pytest
from django.test import Client

from games import rules
from games.match import Status
from games.models import Game
from games.pages.game import GamePage
from games.rules import computer
from games.storage import store
from tests.conftest import again, stored
from tests.support.consumed import Meter
from tests.support.many import game_of, put
from tests.support.pages import JSON, hidden_in, unmarked
from tictactoe_site.table import Item

FIRST = {"opponent": "computer", "as": "guest"}


def meta(page: str, name: str) -> str:
    found = re.search(rf'property="{name}" content="([^"]*)"', page)
    assert found, f"no {name}"
    return found[1]


def items() -> list[dict[str, Any]]:
    return sorted((item.attribute_values for item in Item.scan()), key=repr)


def test_welcome_page_offers_board_invitation_and_login(client: Client) -> None:
    page = client.get("/").content.decode()
    assert re.findall(r'name="square" value="(\w+)"', page) == list(rules.SQUARES)
    assert re.findall(r'name="level" value="(\w+)"', page) == list(computer.LEVELS)
    assert page.count('name="as" value="guest"') == 2
    assert 'href="/accounts/login/"' in page
    assert 'href="/accounts/signup/"' in page


@pytest.mark.parametrize("level", computer.LEVELS)
def test_visitors_first_move_starts_computer_game_in_one_write(meter: Meter, level: str) -> None:
    visitor = Client(enforce_csrf_checks=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', visitor.get("/").content.decode())
    assert token
    meter.calls.clear()
    fields = FIRST | {"square": "TopLeft", "level": level, "csrfmiddlewaretoken": token[1]}
    url = visitor.post("/games/new/", fields)["Location"]
    assert meter.operations == ["PutItem"]
    game = stored(url.split("/")[2])
    assert (game.top_left, game.turn, game.computer, game.o_user) == ("X", game.host_id, level, computer.NAME)
    assert re.fullmatch(r"0[1-8]", game.recorded_moves or "")
    assert game.match().board.count("O") == 1
    assert "Your turn: you play X." in visitor.get(url).content.decode()


def test_computer_moves_first_without_square(games_table: str) -> None:
    url = Client().post("/games/new/", FIRST | {"level": "good"})["Location"]
    game = stored(url.split("/")[2])
    assert (len(game.recorded_moves or ""), game.match().board.count("X"), game.o_user) == (1, 1, game.host_id)


def test_invalid_first_square_is_400_and_writes_nothing(games_table: str) -> None:
    answer = Client().post("/games/new/", FIRST | {"square": "Top"}, headers=JSON)
    assert answer.status_code == 400
    assert "is not a square" in answer.json()["error"]
    assert items() == []


@pytest.mark.parametrize("fields", [{"opponent": "computer", "square": "TopLeft"}, {"opponent": ""}])
def test_double_submit_creates_one_game_and_one_guest(games_table: str, fields: dict[str, str]) -> None:
    visitor = Client(enforce_csrf_checks=True)
    page = visitor.get("/")
    hidden = hidden_in(page.content.decode()) | fields
    browsers = [again(visitor) for _ in range(2)]
    first, second = (browser.post("/games/new/", hidden) for browser in browsers)
    assert (first.status_code, first["Location"]) == (303, second["Location"])
    assert len(items()) == 1
    assert {browser.get("/", headers=JSON).json()["player"] for browser in browsers} == {
        stored(first["Location"].split("/")[2]).host_id
    }


def test_challenge_computer_is_idempotent_per_game_id(games_table: str) -> None:
    game = store.challenge_computer(host="alice", square=4)
    again = store.challenge_computer(host="alice", square=0, game_id=game.game_id)
    assert again.moves == game.moves


def test_invitation_link_preview_names_host_and_has_image(alice: Client) -> None:
    url = alice.post("/games/new/", {"opponent": ""})["Location"]
    page = Client().get(url).content.decode()
    assert meta(page, "og:title") == "alice invites you to tic-tac-toe"
    assert meta(page, "og:description") == "Press a square to begin. No account needed."
    picture = meta(page, "og:image")
    assert picture == "http://testserver/static/games/preview.png"
    answer = Client().get(picture.removeprefix("http://testserver"))
    assert len(b"".join(answer)) < 12_000
    named = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    assert meta(Client().get(named).content.decode(), "og:title") == "alice invites bob to tic-tac-toe"


@pytest.mark.parametrize("moves", ["", "03", "03142"])
def test_game_link_preview_names_players_and_result(games_table: str, moves: str) -> None:
    game = store.accept(store.invite(host="alice", opponent="bob").game_id, player="bob")
    for digit in moves:
        game = store.move(game, player=str(game.turn), square=int(digit))
    page = Client().get(f"/games/{game.game_id}/").content.decode()
    assert meta(page, "og:title") == "alice vs. bob: tic-tac-toe"
    assert meta(page, "og:description") == ("bob won." if len(moves) == 5 else "Watch the game.")


def test_link_previews_write_nothing(alice: Client, bob: Client) -> None:
    open_one = alice.post("/games/new/", {"opponent": ""})["Location"]
    named = alice.post("/games/new/", {"opponent": "bob", "pace": "minutes"})["Location"]
    going = alice.post("/games/new/", {"opponent": "computer", "square": "TopLeft"})["Location"]
    over = alice.post("/games/new/", {"opponent": "computer"})["Location"]
    alice.post(f"{over}resign/")
    before = items()
    for url in ("/", "/accounts/login/", "/accounts/signup/", "/games/new/", "/replay/03142/", "/players/alice/"):
        assert Client().get(url).status_code in (200, 303)
    for url in (open_one, named, going, over):
        for path in (url, f"{url}state/", f"{url}?move=0", f"{url}accept/", f"{url}move/", f"{url}rematch/"):
            assert Client().get(path).status_code in (200, 303, 404), path
            Client().head(path)
    assert items() == before


def test_only_host_of_open_invitation_sees_qr_code(alice: Client, bob: Client) -> None:
    url = alice.post("/games/new/", {"opponent": ""})["Location"]
    page = alice.get(url).content.decode()
    found = re.search(
        r'<details id="qr" class="qr">.*?(<svg role="img" aria-label="QR code[^>]*>.*?</svg>)', page, re.DOTALL
    )
    assert found
    assert len(compress(found[1].encode())) < 2000
    assert "style=" not in found[1]
    assert 'data-source="link"' in page
    for other in (bob, Client()):
        assert 'class="qr"' not in other.get(url).content.decode()
    bob.post(f"{url}accept/")
    assert 'class="qr"' not in alice.get(url).content.decode()


def test_lobby_and_invitation_show_time_limit(alice: Client, bob: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob", "pace": "day"})["Location"]
    assert 'class="deadline"' not in alice.get("/").content.decode()
    for player in (alice, bob):
        assert "1 day for each move. Run out of time and you lose." in player.get(url).content.decode()
    bob.post(f"{url}accept/")
    assert "for each move" not in alice.get(url).content.decode()
    until = datetime.fromtimestamp(int(stored(url.split("/")[2]).deadline or 0), UTC)
    assert until > datetime.now(UTC) + timedelta(hours=23)
    for player in (alice, bob):
        words = rf"24 hours left</time><noscript> \(until {until:%H:%M} UTC\)"
        assert re.search(words, player.get("/").content.decode())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "time is up"),
        (0, "time is up"),
        (59.5, "1:00 left"),
        (3599, "59:59 left"),
        (3600.5, "1 hour left"),
        (5401, "2 hours left"),
        (86_399, "24 hours left"),
    ],
)
def test_time_left_in_words(seconds: float, words: str) -> None:
    game = Game("x", host_id="alice", opponent_id="bob", status_date=Status.IN_PROGRESS.dated(datetime.now(UTC)))
    game.deadline = 2_000_000_000
    now = datetime.fromtimestamp(2_000_000_000 - seconds, UTC)
    assert GamePage(game.match(), "alice", now).time_left == words


def test_opponents_name_links_to_profile_after_accept(alice: Client, bob: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    assert 'href="/players/bob/"' not in unmarked(alice.get(url))  # bob may not have signed up yet
    assert 'href="/players/alice/">alice</a>' in unmarked(bob.get(url))
    bob.post(f"{url}accept/")
    assert 'href="/players/bob/">bob</a>' in unmarked(alice.get(url))


def test_no_profile_link_for_guest_computer_or_open_seat(alice: Client) -> None:
    for fields in ({"opponent": "computer"}, {"opponent": ""}):
        url = alice.post("/games/new/", fields)["Location"]
        players = re.search(r'<p class="players">.*?</p>', alice.get(url).content.decode(), re.DOTALL)
        assert players
        assert "href" not in players[0]
    game = store.accept(store.invite(host="guest-abcdef", opponent=None).game_id, player="alice")
    assert "/players/guest" not in alice.get(f"/games/{game.game_id}/").content.decode()


def test_links_to_replays_and_players_say_who_played(games_table: str) -> None:
    game = store.accept(store.invite(host="alice", opponent="bob").game_id, player="bob")
    game = store.resign(store.move(game, player="bob", square=0), player="alice")
    last, first = (Client().get(f"/games/{game.game_id}/?move={move}").content.decode() for move in (1, 0))
    assert meta(last, "og:title") == meta(first, "og:title") == "alice vs. bob, move by move"
    assert meta(last, "og:description").startswith("bob won: alice resigned. ")
    assert meta(first, "og:description") == "Step through it, and see where it was decided."
    assert meta(Client().get("/replay/0/").content.decode(), "og:title") == "A game of tic-tac-toe, move by move"
    shared = Client().get("/replay/03142/").content.decode()
    assert meta(shared, "og:description").startswith("Tic-Tac-Toe, X won after 5 moves. Step through it")


def test_link_to_player_says_the_record(alice: Client) -> None:
    put([game_of(Status.FINISHED, second, "alice", "bob", result="alice") for second in range(3)])
    page = Client().get("/players/alice/").content.decode()
    assert (meta(page, "og:title"), meta(page, "og:description")) == (
        "alice plays tic-tac-toe",
        "3 won, 0 lost, 0 tied.",
    )
