"""Inviting, accepting, declining and cancelling over HTTP."""

import json
import re
import uuid

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now

from games.match import Status
from games.models import Game
from games.signing import rematch_of
from games.storage import queries
from tests.conftest import Cast, again, stored
from tests.support.consumed import Meter
from tests.support.pages import HTMX, JSON, hidden_in, new_game_in, position_in, unmarked

GONE = "00000000-0000-4000-8000-000000000000"


def invite(client: Client, opponent: str = "bob") -> str:
    answer = client.post("/games/new/", {"opponent": opponent})
    assert answer.status_code == 303, answer.content.decode()
    return str(answer["Location"])


def game_in(url: str) -> Game:
    return stored(url.split("/")[2])


def test_invited_player_sees_and_accepts_invitation(alice: Client, bob: Client) -> None:
    url = invite(alice)
    lobby = bob.get("/").content.decode()
    assert "Invitations for you" in lobby
    assert f'action="{url}accept/"' in lobby
    assert bob.post(f"{url}accept/")["Location"] == url
    assert "Your turn: you play X." in bob.get(url).content.decode()
    assert "bob&#39;s turn." in alice.get(url).content.decode()


def test_unclaimed_name_can_be_invited_and_accepts_after_signup(alice: Client, log_in: Cast) -> None:
    url = invite(alice, "dora")
    page = alice.get(url).content.decode()
    assert "has not signed up yet" in page
    assert f'value="http://testserver{url}"' in page
    dora = log_in("dora")
    assert "has not signed up yet" not in alice.get(url).content.decode()
    assert dora.post(f"{url}accept/").status_code == 303


def test_second_accept_by_link_is_409(alice: Client, bob: Client, charlie: Client) -> None:
    url = invite(alice, "")
    assert "Accept" in bob.get(url).content.decode()
    assert bob.post(f"{url}accept/").status_code == 303
    late = charlie.post(f"{url}accept/")
    assert late.status_code == 409
    assert "faster" in late.content.decode()
    assert game_in(url).opponent_id == "bob"


def test_get_and_head_of_invitation_write_nothing(alice: Client, bob: Client) -> None:
    url = invite(alice, "")
    before = game_in(url).attribute_values
    for client in (bob, alice, Client()):
        assert client.get(url).status_code == 200
        assert client.head(url).status_code == 200
        assert client.get(f"{url}accept/")["Location"] == url
    assert game_in(url).attribute_values == before


def test_visitors_first_move_by_link_accepts_as_guest(alice: Client, meter: Meter) -> None:
    url = invite(alice, "")
    visitor = Client(enforce_csrf_checks=True)
    meter.calls.clear()
    page = visitor.get(url).content.decode()
    assert "You&#39;re X and go first." in page
    assert game_in(url).opponent_id is None  # A GET takes no seat, so link previews don't either.
    fields = hidden_in(page) | {"square": "TopLeft"}
    assert fields["as"] == "guest"
    meter.calls.clear()
    assert visitor.post(f"{url}move/", fields)["Location"] == url
    assert meter.operations == ["UpdateItem"]
    game = game_in(url)
    assert re.fullmatch(r"guest-[a-z0-9]{12}", game.opponent_id)
    assert (game.top_left, game.turn) == ("X", "alice")
    assert "alice&#39;s turn." in visitor.get(url).content.decode()


def test_visitors_repeated_move_creates_one_guest(alice: Client) -> None:
    """Both requests carry the page's cookies: the first reply hasn't arrived yet, or is lost."""
    url = invite(alice, "")
    visitor = Client(enforce_csrf_checks=True)
    fields = hidden_in(visitor.get(url).content.decode()) | {"square": "TopLeft"}
    browsers = [again(visitor) for _ in range(2)]
    assert [browser.post(f"{url}move/", fields).status_code for browser in browsers] == [303, 303]
    for browser in browsers:
        assert browser.get("/", headers=JSON).json()["player"] == game_in(url).opponent_id
    # If the first reply arrives before the second press, the page's token is still valid.
    assert browsers[0].post(f"{url}move/", fields).status_code == 303


def test_visitor_page_is_private_and_token_is_unique(alice: Client) -> None:
    url = invite(alice, "")
    pages = [Client().get(url) for _ in range(2)]
    assert len({page.cookies[settings.SESSION_COOKIE_NAME].value for page in pages}) == 2
    assert {page["Cache-Control"] for page in pages} == {"private, no-store"}
    assert all(page.cookies[settings.SESSION_COOKIE_NAME]["httponly"] for page in pages)
    assert "guest-" not in pages[0].content.decode()
    assert "(guest)" not in pages[0].content.decode()


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
def test_refused_visitor_does_not_become_guest(alice: Client, path: str, fields: dict[str, str], status: int) -> None:
    url = invite(alice, "")
    for headers in ({}, JSON):
        visitor = Client()
        visitor.get(url)
        answer = visitor.post(path if path[0] == "/" else url + path, fields | {"as": "guest"}, headers=headers)
        assert answer.status_code == status
        assert "guest-" not in answer.content.decode()
        assert "(guest)" not in answer.content.decode()
        assert visitor.get("/", headers=JSON).json() == {"player": None}


def test_late_visitors_move_is_403(alice: Client, bob: Client) -> None:
    url = invite(alice, "")
    visitor = Client()
    visitor.get(url)
    bob.post(f"{url}move/", {"square": "TopLeft"})
    answer = visitor.post(f"{url}move/", {"square": "TopRight", "as": "guest"})
    assert answer.status_code == 403
    assert game_in(url).opponent_id == "bob"


@pytest.mark.parametrize(("action", "fields"), [("accept", {}), ("move", {"square": "TopLeft"})])
def test_named_invitation_refuses_guest(alice: Client, action: str, fields: dict[str, str]) -> None:
    url = invite(alice)
    assert Client().post(f"{url}{action}/", fields | {"as": "guest"}).status_code == 403
    assert game_in(url).match().status is Status.PENDING


def test_visitor_does_not_become_guest_without_asking(alice: Client) -> None:
    url = invite(alice, "")
    visitor = Client()
    assert visitor.post(f"{url}move/", {"square": "TopLeft"}).status_code == 403
    assert visitor.get("/", headers=JSON).json()["player"] is None


@pytest.mark.parametrize("fields", [{"opponent": "computer"}, {"opponent": ""}])
def test_visitor_starts_game_in_one_request(games_table: str, fields: dict[str, str]) -> None:
    visitor = Client()
    url = visitor.post("/games/new/", fields | {"as": "guest"})["Location"]
    assert re.fullmatch(r"guest-[a-z0-9]{12}", game_in(url).host_id)
    assert "Your turn" in visitor.get(url).content.decode() or not fields["opponent"]


def test_expired_invitation_offers_host_a_new_one(alice: Client, bob: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob", "pace": "day"})["Location"]
    Game(url.split("/")[2]).update([Game.expires_at.set(1)])
    page = unmarked(alice.get(url))
    assert "This invitation has expired." in page
    assert "Invite again" in page
    fields = dict(re.findall(r'<input type="hidden" name="(opponent|pace)" value="([^"]+)">', page))
    assert fields == {"opponent": "bob", "pace": "day"}
    assert game_in(alice.post("/games/new/", fields)["Location"]).pace == 86_400
    page = unmarked(bob.get(url))
    assert "Ask alice for a new one." in page
    assert "Invite again" not in page


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_stranger_gets_403(alice: Client, charlie: Client, action: str) -> None:
    url = invite(alice)
    before = game_in(url).attribute_values
    for client in (charlie, Client()):
        assert client.post(f"{url}{action}/").status_code == 403
    assert game_in(url).attribute_values == before


def test_host_cannot_accept_or_move_in_own_invitation(alice: Client) -> None:
    for url in (invite(alice), invite(alice, "")):
        assert alice.post(f"{url}accept/").status_code == 403
        assert alice.post(f"{url}move/", {"square": "TopLeft"}).status_code == 409
        assert game_in(url).match().status == "PENDING"


def test_declined_and_cancelled_invitations_are_404(alice: Client, bob: Client) -> None:
    declined, cancelled = invite(alice), invite(alice)
    assert bob.post(f"{declined}decline/")["Location"] == "/"
    assert alice.post(f"{cancelled}cancel/")["Location"] == "/"
    for url, said in (
        (declined, '<h1><bdi translate="no">bob</bdi> said: No, thanks.</h1>'),
        (cancelled, "declined, cancelled"),
    ):
        gone = alice.get(url)
        assert gone.status_code == 404
        assert said in gone.content.decode()
        assert ("drawn-O" in gone.content.decode()) is (url == cancelled), "an answer looks like no error"
        assert bob.post(f"{url}accept/").status_code == 404


def test_declined_invitation_is_in_no_list_no_export_and_no_count(alice: Client, bob: Client) -> None:
    game_id = invite(alice).split("/")[2]
    bob.post(f"/games/{game_id}/decline/")
    for player in (alice, bob):
        lists = player.get("/", headers=JSON).json()
        assert not any(lists[name] for name in ("invitations", "waiting", "playing", "finished", "damaged"))
        assert json.loads(player.get("/accounts/export/").getvalue())["games"] == []
    assert queries.of_everybody(None, 10) == {}
    assert queries.games([game_id]) == {game_id: None}
    assert queries.pending("alice", now(), sent=True, most=9) == queries.pending("bob", now(), sent=False, most=9) == 0
    for act in ("accept", "decline", "move", "resign", "rematch"):
        answer = bob.post(f"/games/{game_id}/{act}/", {"square": "TopLeft"}, headers=JSON)
        assert (answer.status_code, answer.json()["error"]) == (404, "bob said: No, thanks."), act
    assert alice.post(f"/games/{game_id}/cancel/").status_code == 404


def test_cancel_after_accept_is_409_with_game(alice: Client, bob: Client) -> None:
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
        ("ab", "Use 3 to 20"),
        ("a" * 21, "Use 3 to 20"),
        ("a" * 5000, "100 characters"),
        ("-bob", "Use 3 to 20"),
        ("bob smith", "Use 3 to 20"),
        ("bob\x00", "Null characters"),
        ("admin", "reserved"),
        ("<script>", "Use 3 to 20"),
        ("player#bob", "Use 3 to 20"),
    ],
)
def test_invalid_opponent_name_is_400_and_writes_nothing(alice: Client, opponent: str, sentence: str) -> None:
    answer = alice.post("/games/new/", {"opponent": opponent})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not list(Game.scan(Game.host_id.exists()))
    assert sentence in alice.post("/games/new/", {"opponent": opponent}, headers=JSON).json()["error"]


def test_opponent_name_is_casefolded(alice: Client) -> None:
    assert game_in(invite(alice, " BoB ")).opponent_id == "bob"


def test_resubmitted_form_makes_one_game(alice: Client) -> None:
    page = alice.get("/games/new/")
    answers = [alice.post("/games/new/", {"opponent": "bob", "game": new_game_in(page)}) for _ in range(2)]
    assert len({answer["Location"] for answer in answers}) == 1


def test_another_players_game_id_is_409(alice: Client, charlie: Client) -> None:
    fields = {"opponent": "bob", "game": new_game_in(alice.get("/games/new/"))}
    url = alice.post("/games/new/", fields)["Location"]
    assert charlie.post("/games/new/", fields).status_code == 409
    assert game_in(url).host_id == "alice"


@pytest.mark.parametrize(
    "game",
    ["player#alice", str(uuid.UUID(int=1, version=4)), rematch_of(GONE), f"{GONE}:x", "\x00"],
    ids=["a player", "an id", "a rematch", "forged", "nothing"],
)
def test_unsigned_new_game_id_is_400(alice: Client, game: str) -> None:
    """Otherwise somebody who knows a rematch's id could use it first, on other terms."""
    answer = alice.post("/games/new/", {"opponent": "bob", "game": game}, headers=JSON)
    assert (answer.status_code, "open the page again" in answer.json()["error"]) == (400, True)
    page = alice.post("/games/new/", {"opponent": "bob", "game": game})
    assert (page.status_code, "open the page again" in page.content.decode()) == (400, True)
    assert not list(Game.scan(Game.host_id.exists()))
    assert 'value="bob"' in page.content.decode()
    # The forms of the error page have a valid id, so sending again works.
    assert alice.post("/games/new/", {"opponent": "bob", "game": new_game_in(page)}).status_code == 303


def test_signed_position_is_not_a_new_game_id(alice: Client) -> None:
    url = invite(alice, "bob")
    position = position_in(alice.get(url, headers=JSON))
    assert alice.post("/games/new/", {"opponent": "bob", "game": position}).status_code == 400


def test_invitation_answers_as_json_and_fragments(alice: Client, bob: Client) -> None:
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


def test_anonymous_visitor_is_redirected_to_login_with_next(games_table: str) -> None:
    answer = Client().get("/games/new/")
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/?next=%2Fgames%2Fnew%2F")
    assert Client().post("/games/new/", {"opponent": "bob"}).status_code == 403


@pytest.mark.parametrize("action", ["accept", "decline", "cancel", "move"])
def test_unknown_game_is_404(alice: Client, action: str) -> None:
    url = f"/games/{uuid.uuid4()}/"
    assert alice.get(url).status_code == 404
    assert alice.get(f"{url}state/", headers=JSON).status_code == 404
    assert alice.post(f"{url}{action}/", {"square": "TopLeft"}, headers=JSON).status_code == 404
