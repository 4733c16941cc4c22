"""Inviting, accepting, declining and cancelling over HTTP."""

import re
import uuid

import pytest
from django.test import Client

from games.match import Status
from games.models import Game
from games.signing import rematch_of
from tests.conftest import Cast, again, stored
from tests.support.consumed import Meter
from tests.support.pages import hidden_in, new_game_in, position_in

JSON = {"accept": "application/json"}
HTMX = {"hx-request": "true"}
GONE = "00000000-0000-4000-8000-000000000000"


def invite(client: Client, opponent: str = "bob") -> str:
    answer = client.post("/games/new/", {"opponent": opponent})
    assert answer.status_code == 303, answer.content.decode()
    return str(answer["Location"])


def game_in(url: str) -> Game:
    return stored(url.split("/")[2])


def test_the_invited_player_finds_the_invitation_and_accepts_it(alice: Client, bob: Client) -> None:
    url = invite(alice)
    lobby = bob.get("/").content.decode()
    assert "Pending invitations" in lobby
    assert f'action="{url}accept/"' in lobby
    assert bob.post(f"{url}accept/")["Location"] == url
    assert "Your turn: you play X." in bob.get(url).content.decode()
    assert "bob&#39;s turn." in alice.get(url).content.decode()


def test_somebody_who_has_not_signed_up_can_be_invited_and_the_page_says_so(alice: Client, log_in: Cast) -> None:
    url = invite(alice, "dora")
    page = alice.get(url).content.decode()
    assert "has not signed up yet" in page
    assert f'value="http://testserver{url}"' in page
    dora = log_in("dora")
    assert "has not signed up yet" not in alice.get(url).content.decode()
    assert dora.post(f"{url}accept/").status_code == 303


def test_a_link_seats_the_first_who_comes_and_later_ones_watch(alice: Client, bob: Client, charlie: Client) -> None:
    url = invite(alice, "")
    assert "Accept" in bob.get(url).content.decode()
    assert bob.post(f"{url}accept/").status_code == 303
    late = charlie.post(f"{url}accept/")
    assert late.status_code == 409
    assert "faster" in late.content.decode()
    assert game_in(url).opponent_id == "bob"


def test_looking_at_an_invitation_changes_nothing(alice: Client, bob: Client) -> None:
    url = invite(alice, "")
    before = game_in(url).attribute_values
    for client in (bob, alice, Client()):
        assert client.get(url).status_code == 200
        assert client.head(url).status_code == 200
        assert client.get(f"{url}accept/").status_code == 405
    assert game_in(url).attribute_values == before


def test_the_first_square_of_a_visitor_with_a_link_is_all_it_takes(alice: Client, meter: Meter) -> None:
    url = invite(alice, "")
    visitor = Client(enforce_csrf_checks=True)
    meter.calls.clear()
    page = visitor.get(url).content.decode()
    assert "You are X and move first." in page
    assert game_in(url).opponent_id is None  # Looking takes no seat, so a link's preview does not.
    fields = hidden_in(page) | {"square": "TopLeft"}
    assert fields["as"] == "guest"
    meter.calls.clear()
    assert visitor.post(f"{url}move/", fields)["Location"] == url
    assert meter.operations == ["UpdateItem"]
    game = game_in(url)
    assert re.fullmatch(r"guest-[a-z0-9]{6}", game.opponent_id)
    assert (game.top_left, game.turn) == ("X", "alice")
    assert "alice&#39;s turn." in visitor.get(url).content.decode()


def test_a_visitor_who_presses_twice_is_one_guest(alice: Client) -> None:
    """Both requests leave with the cookies that came with the page: the first answer is not there yet, or lost."""
    url = invite(alice, "")
    visitor = Client(enforce_csrf_checks=True)
    fields = hidden_in(visitor.get(url).content.decode()) | {"square": "TopLeft"}
    browsers = [again(visitor) for _ in range(2)]
    assert [browser.post(f"{url}move/", fields).status_code for browser in browsers] == [303, 303]
    for browser in browsers:
        assert browser.get("/", headers=JSON).json()["player"] == game_in(url).opponent_id
    # The first answer may be there when the second press is sent: its page's token is good still.
    assert browsers[0].post(f"{url}move/", fields).status_code == 303


def test_what_a_visitor_is_offered_is_for_nobody_else(alice: Client) -> None:
    url = invite(alice, "")
    pages = [Client().get(url) for _ in range(2)]
    assert len({page.cookies["session"].value for page in pages}) == 2
    assert {page["Cache-Control"] for page in pages} == {"private, no-store"}
    assert all(page.cookies["session"]["httponly"] for page in pages)
    assert "guest-" not in pages[0].content.decode()


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("move/", {"square": "nonsense"}, 400),
        ("move/", {"square": "TopLeft", "position": "forged"}, 400),
        ("/games/new/", {"opponent": "<script>"}, 400),
        (f"/games/{GONE}/cancel/", {}, 404),
        ("cancel/", {}, 403),
    ],
)
def test_a_visitor_who_is_refused_stays_a_visitor(
    alice: Client, path: str, fields: dict[str, str], status: int
) -> None:
    url = invite(alice, "")
    for headers in ({}, JSON):
        visitor = Client()
        visitor.get(url)
        answer = visitor.post(path if path[0] == "/" else url + path, fields | {"as": "guest"}, headers=headers)
        assert answer.status_code == status
        assert "guest-" not in answer.content.decode()
        assert visitor.get("/", headers=JSON).json() == {"player": None}


def test_the_second_visitor_is_too_late_and_watches(alice: Client, bob: Client) -> None:
    url = invite(alice, "")
    visitor = Client()
    visitor.get(url)
    bob.post(f"{url}move/", {"square": "TopLeft"})
    answer = visitor.post(f"{url}move/", {"square": "TopRight", "as": "guest"})
    assert answer.status_code == 403
    assert game_in(url).opponent_id == "bob"


@pytest.mark.parametrize(("action", "fields"), [("accept", {}), ("move", {"square": "TopLeft"})])
def test_an_invitation_by_name_is_for_no_guest(alice: Client, action: str, fields: dict[str, str]) -> None:
    url = invite(alice)
    assert Client().post(f"{url}{action}/", fields | {"as": "guest"}).status_code == 403
    assert game_in(url).match().status is Status.PENDING


def test_nobody_becomes_a_guest_unasked(alice: Client) -> None:
    url = invite(alice, "")
    visitor = Client()
    assert visitor.post(f"{url}move/", {"square": "TopLeft"}).status_code == 403
    assert visitor.get("/", headers={"accept": "application/json"}).json()["player"] is None


@pytest.mark.parametrize("fields", [{"opponent": "computer"}, {"opponent": ""}])
def test_a_visitor_begins_a_game_in_one_request(games_table: str, fields: dict[str, str]) -> None:
    visitor = Client()
    url = visitor.post("/games/new/", fields | {"as": "guest"})["Location"]
    assert re.fullmatch(r"guest-[a-z0-9]{6}", game_in(url).host_id)
    assert "Your turn" in visitor.get(url).content.decode() or not fields["opponent"]


def test_an_expired_invitation_says_so_and_offers_a_new_one(alice: Client, bob: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob", "pace": "day"})["Location"]
    Game(url.split("/")[2]).update([Game.expires_at.set(1)])
    page = alice.get(url).content.decode()
    assert "This invitation has expired." in page
    fields = dict(re.findall(r'<input type="hidden" name="(opponent|pace)" value="([^"]+)">', page))
    assert fields == {"opponent": "bob", "pace": "day"}
    assert game_in(alice.post("/games/new/", fields)["Location"]).pace == 86_400
    page = bob.get(url).content.decode()
    assert "Ask alice for a new one." in page
    assert "Invite again" not in page


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_a_stranger_is_refused(alice: Client, charlie: Client, action: str) -> None:
    url = invite(alice)
    before = game_in(url).attribute_values
    for client in (charlie, Client()):
        assert client.post(f"{url}{action}/").status_code == 403
    assert game_in(url).attribute_values == before


def test_a_host_cannot_accept_and_so_play_both_sides(alice: Client) -> None:
    for url in (invite(alice), invite(alice, "")):
        assert alice.post(f"{url}accept/").status_code == 403
        assert alice.post(f"{url}move/", {"square": "TopLeft"}).status_code == 409
        assert game_in(url).match().status == "PENDING"


def test_declined_and_cancelled_invitations_are_gone(alice: Client, bob: Client) -> None:
    declined, cancelled = invite(alice), invite(alice)
    assert bob.post(f"{declined}decline/")["Location"] == "/"
    assert alice.post(f"{cancelled}cancel/")["Location"] == "/"
    for url in (declined, cancelled):
        gone = alice.get(url)
        assert gone.status_code == 404
        assert "declined, cancelled" in gone.content.decode()
        assert bob.post(f"{url}accept/").status_code == 404


def test_declining_too_late_shows_the_game(alice: Client, bob: Client) -> None:
    url = invite(alice)
    bob.post(f"{url}accept/")
    late = alice.post(f"{url}cancel/")
    assert late.status_code == 409
    assert "begun" in late.content.decode()
    assert 'id="game"' in late.content.decode()


@pytest.mark.parametrize(
    ("opponent", "sentence"),
    [
        ("alice", "That is you"),
        ("ALICE", "That is you"),
        ("ab", "A name is 3 to 20"),
        ("a" * 21, "A name is 3 to 20"),
        ("a" * 5000, "100 characters"),
        ("-bob", "A name is 3 to 20"),
        ("bob smith", "A name is 3 to 20"),
        ("bob\x00", "Null characters"),
        ("admin", "reserved"),
        ("<script>", "A name is 3 to 20"),
        ("player#bob", "A name is 3 to 20"),
    ],
)
def test_a_name_that_cannot_be_is_400_and_what_was_typed_is_kept(alice: Client, opponent: str, sentence: str) -> None:
    answer = alice.post("/games/new/", {"opponent": opponent})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not list(Game.scan(Game.host_id.exists()))
    assert sentence in alice.post("/games/new/", {"opponent": opponent}, headers=JSON).json()["error"]


def test_a_name_is_casefolded(alice: Client) -> None:
    assert game_in(invite(alice, " BoB ")).opponent_id == "bob"


def test_a_form_sent_twice_makes_one_game(alice: Client) -> None:
    page = alice.get("/games/new/")
    answers = [alice.post("/games/new/", {"opponent": "bob", "game": new_game_in(page)}) for _ in range(2)]
    assert len({answer["Location"] for answer in answers}) == 1


def test_another_players_game_id_is_refused(alice: Client, charlie: Client) -> None:
    fields = {"opponent": "bob", "game": new_game_in(alice.get("/games/new/"))}
    url = alice.post("/games/new/", fields)["Location"]
    assert charlie.post("/games/new/", fields).status_code == 409
    assert game_in(url).host_id == "alice"


@pytest.mark.parametrize(
    "game",
    ["player#alice", str(uuid.UUID(int=1, version=4)), rematch_of(GONE), f"{GONE}:x", "\x00"],
    ids=["a player", "an id", "a rematch", "forged", "nothing"],
)
def test_only_this_site_chooses_a_new_games_id(alice: Client, game: str) -> None:
    """Somebody who knows a rematch's id could otherwise be there first, on other terms."""
    answer = alice.post("/games/new/", {"opponent": "bob", "game": game}, headers=JSON)
    assert (answer.status_code, "reload the page" in answer.json()["error"]) == (400, True)
    page = alice.post("/games/new/", {"opponent": "bob", "game": game})
    assert (page.status_code, "reload the page" in page.content.decode()) == (400, True)
    assert not list(Game.scan(Game.host_id.exists()))
    assert 'value="bob"' in page.content.decode()
    # What the page says is then easily done: its forms have a good id.
    assert alice.post("/games/new/", {"opponent": "bob", "game": new_game_in(page)}).status_code == 303


def test_an_id_is_no_signed_position_and_the_other_way_round(alice: Client) -> None:
    url = invite(alice, "bob")
    position = position_in(alice.get(url, headers=JSON))
    assert alice.post("/games/new/", {"opponent": "bob", "game": position}).status_code == 400


def test_the_answers_in_json_and_as_fragments(alice: Client, bob: Client) -> None:
    created = alice.post("/games/new/", {"opponent": "bob"}, headers=JSON)
    assert created.status_code == 201
    assert created["Location"] == f"/games/{created.json()['gameId']}/"
    assert created.json()["status"] == "PENDING"
    url = created["Location"]
    fragment = bob.post(f"{url}accept/", headers=HTMX)
    assert fragment.status_code == 200
    assert fragment.content.decode().lstrip().startswith('<div id="game"')
    assert "<html" not in fragment.content.decode()
    assert bob.post(f"{invite(alice)}decline/", headers=JSON).json()["status"] is None
    assert bob.post(f"{invite(alice)}decline/", headers=HTMX)["HX-Redirect"] == "/"


def test_who_is_not_logged_in_is_sent_to_log_in_and_comes_back(games_table: str) -> None:
    answer = Client().get("/games/new/")
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/?next=%2Fgames%2Fnew%2F")
    assert Client().post("/games/new/", {"opponent": "bob"}).status_code == 403


@pytest.mark.parametrize("action", ["accept", "decline", "cancel", "move"])
def test_a_game_that_never_was_is_404(alice: Client, action: str) -> None:
    url = f"/games/{uuid.uuid4()}/"
    assert alice.get(url).status_code == 404
    assert alice.get(f"{url}state/", headers=JSON).status_code == 404
    assert alice.post(f"{url}{action}/", {"square": "TopLeft"}, headers=JSON).status_code == 404
