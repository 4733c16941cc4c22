"""Event streams as a client without a browser sees them: what is sent to whom, when, and when no more."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from django.utils.timezone import now

from games.match import Status
from games.models import Game
from games.pages.lobby import LobbyPage
from games.storage import lobby as lobbies
from tests.conftest import stored
from tests.support.faults import Faults, Handle
from tests.support.many import game_of, put
from tests.support.players import Player
from tests.support.sites import configured_for, playing, serving
from tests.support.watching import END, Event, opened, watching

pytestmark = pytest.mark.process


@pytest.fixture
def site(running: str, games_table: str) -> str:
    """The address of a site on the engine's table."""
    return running


class Table:
    """Two guests at a game in progress: ``x`` moves first."""

    def __init__(self, site: str, other_site: str = "") -> None:
        self.o = Player(site)
        self.x = Player(other_site or site)
        self.path = self.o.invite(self.x.name)
        self.url = f"{site}{self.path}events/"
        self.position = self.x.insist("POST", f"{self.path}accept/").json()["position"]

    def move(self, player: Player, square: int) -> None:
        answer = player.move(self.path, square, self.position)
        assert answer.status_code == 200, answer.text
        self.position = answer.json()["position"]

    def play(self, moves: str) -> None:
        for number, digit in enumerate(moves):
            self.move(self.o if number % 2 else self.x, int(digit))


def test_a_move_is_pushed_to_the_other_player_and_to_who_watches(site: str) -> None:
    game = Table(site)
    with watching(game.url, game.o.session) as other, watching(game.url) as spectator:
        assert {other.next().id, spectator.next().id} == {"10"}
        game.move(game.x, 4)
        pushed, seen = other.next(), spectator.next()
    assert (pushed.name, pushed.id, seen.id) == ("board", "11", "11")
    assert pushed.data.startswith('<div id="game"')
    assert "Your turn: you play O." in pushed.data
    assert "<form" in pushed.data
    assert f"{game.o.name}'s turn." in seen.data.replace("&#39;", "'")
    assert not re.search(r"<(form|button|input)", seen.data)
    assert "‹csrf›" not in pushed.data + seen.data


def test_a_pushed_form_works_as_the_pages_own(site: str) -> None:
    game = Table(site)
    with watching(game.url, game.x.session) as watch:
        form = dict(re.findall(r'name="(csrfmiddlewaretoken|position)" value="([^"]+)"', watch.next().data))
    answer = game.x.session.post(f"{site}{game.path}move/", data=form | {"square": "TopLeft"}, timeout=10)
    assert answer.status_code == 200
    assert answer.json()["moves"] == "0"


def test_only_what_is_newer_is_sent(site: str) -> None:
    game = Table(site)
    game.play("40")
    with watching(game.url, since="12") as current, watching(game.url, since="10") as behind:
        assert behind.next().id == "12"  # the board as it is, and not the one between
        assert current.nothing(0.5)
        game.move(game.x, 8)
        assert current.next().id == behind.next().id == "13"
    with watching(f"{game.url}?since=12") as by_address:
        assert by_address.next().id == "13"


@pytest.mark.parametrize("since", ["19", "29", "99"])
def test_no_board_older_than_the_clients_is_sent(site: str, since: str) -> None:
    with watching(Table(site).url, since=since) as watch:
        assert watch.nothing(2.5)


@pytest.mark.parametrize("since", ["‹no version›".encode().decode("latin-1"), "9" * 5000, "-1", "²"])
def test_what_was_never_a_version_gets_the_board_as_it_is(site: str, since: str) -> None:
    with watching(Table(site).url, since=since) as watch:
        assert watch.next().id == "10"


def test_the_stream_of_a_finished_game_ends_and_is_not_to_be_asked_for_again(site: str) -> None:
    game = Table(site)
    with watching(game.url) as watch:
        game.play("03142")
        events = [watch.next()]
        while events[-1].name != END:
            events.append(watch.next())
    assert events[-2].id == "25"
    assert "won." in events[-2].data
    assert opened(game.url, since="25").status_code == 204
    with watching(game.url, since="14") as late:
        assert [late.next().id, late.next().name] == ["25", END]


def test_a_withdrawn_invitation_is_gone(site: str) -> None:
    host = Player(site)
    path = host.invite("")
    with watching(f"{site}{path}events/", since="0") as watch:
        host.insist("POST", f"{path}cancel/")
        assert [watch.next().name, watch.next().name] == ["gone", END]
    assert opened(f"{site}{path}events/").status_code == 404


def test_what_vanishes_from_the_table_without_a_word_is_gone_too(site: str) -> None:
    path = Player(site).invite("")
    with watching(f"{site}{path}events/", since="0") as watch:
        stored(path.split("/")[2]).delete()
        assert watch.next().name == "gone"


@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS])
def test_a_board_that_no_game_leads_to_is_left_to_the_page(site: str, status: Status) -> None:
    path = Player(site).invite("")
    with watching(f"{site}{path}events/", since="0") as watch:
        broken = {"status_date": status.dated(datetime.now(UTC)), "top_left": "X", "top_middle": "X"}
        game = stored(path.split("/")[2])
        game.update([getattr(Game, name).set(value) for name, value in broken.items()], Game.game_id.exists())
        assert [watch.next().name, watch.next().name] == ["gone", END]


def test_an_invitation_expires_while_it_is_watched(site: str) -> None:
    soon = int(datetime.now(UTC).timestamp()) + 4
    [game_id] = put([game_of(Status.PENDING, 0, "alice", "bob", expires_at=soon)])
    with watching(f"{site}/games/{game_id}/events/", since="0") as watch:
        event = watch.next()
        assert (event.id, watch.next().name) == ("9", END)
    assert "has expired" in event.data


def test_who_logs_out_is_sent_nothing_more(site: str) -> None:
    game = Table(site)
    watches = [(game.url, game.x.session), (f"{site}/events/", game.x.session), (game.url, None)]
    with watching(*watches[0]) as own, watching(*watches[1]) as lobby, watching(*watches[2]) as other:
        assert {own.next().name, lobby.next().name, other.next().name} == {"board", "lobby"}
        stranger = requests.Session()
        stranger.get(f"{site}/accounts/login/", timeout=10)
        token = {"X-CSRFToken": stranger.cookies["csrftoken"]}
        assert stranger.post(f"{site}/accounts/logout/", headers=token, timeout=10).status_code == 200
        game.x.insist("POST", "/accounts/logout/")
        assert own.next() == lobby.next() == Event(END)
        assert other.nothing(0.5)
    assert opened(f"{site}/events/", game.x.session).status_code == 403


def test_the_lobby_has_what_happens_to_ones_games(site: str) -> None:
    alice, bob = Player(site), Player(site)
    with watching(f"{site}/events/", alice.session) as lobby:
        assert "No games yet" in lobby.next().data
        path = bob.invite(alice.name)
        invited = lobby.next()
        assert f"<b>{bob.name}</b> invites you" in invited.data
        assert 'data-waiting="1"' in invited.data
        position = alice.insist("POST", f"{path}accept/").json()["position"]
        assert "Your turn" in lobby.next().data
        position = alice.move(path, 4, position).json()["position"]
        assert "Your turn" not in lobby.next().data
        bob.move(path, 0, position)
        event = lobby.next()
        assert "Your turn" in event.data
        assert lobby.nothing(3)  # also not what the index says, which is the same
    with watching(f"{site}/events/", alice.session, since=event.id) as again:
        assert again.nothing(1)


def test_hint_after_hint_does_not_put_a_lobby_off(games_table: str) -> None:
    with playing("--endpoint", games_table) as (here, _), playing("--endpoint", games_table) as (there, _):
        alice, bob, cat = Player(here), Player(here), Player(there)
        path = alice.invite(bob.name)
        with watching(f"{here}events/", alice.session) as lobby:
            lobby.next()
            bob.insist("POST", f"{path}accept/")
            cat.invite(alice.name)
            for _ in range(20):
                bob.insist("POST", f"{path}accept/")  # the same again, which is told again
                time.sleep(0.5)
            said = [lobby.next(0.1).data, lobby.next(0.1).data]
    assert f"<b>{cat.name}</b> invites you" in said[-1]


def test_a_lobby_that_is_newer_than_what_is_known_is_not_replaced_by_it(games_table: str) -> None:
    with playing("--endpoint", games_table) as (here, _), playing("--endpoint", games_table) as (there, _):
        alice, bob = Player(here), Player(there)
        with watching(f"{here}events/", alice.session) as lobby:
            old = lobby.next()
            path = bob.invite(alice.name)  # which only the table can tell
            newer = LobbyPage(lobbies.newest(alice.name, now()), alice.name, now()).version
            assert newer != old.id
            with watching(f"{here}events/", alice.session, since=newer) as second_tab:
                assert second_tab.nothing(3)
                bob.insist("POST", f"{path}cancel/")
                assert second_tab.next().id == old.id


def test_a_declined_invitation_leaves_the_lobby_of_who_sent_it(site: str) -> None:
    alice, bob = Player(site), Player(site)
    path = alice.invite(bob.name)
    with watching(f"{site}/events/", alice.session) as lobby:
        assert "Your invitation" in lobby.next().data
        bob.insist("POST", f"{path}decline/")
        assert "No games yet" in lobby.next().data


def test_where_only_the_table_is_shared_it_tells(games_table: str) -> None:
    with playing("--endpoint", games_table) as (here, _), playing("--endpoint", games_table) as (there, _):
        game = Table(here.rstrip("/"), there.rstrip("/"))
        with watching(game.url) as watch, watching(f"{here}events/", game.o.session) as lobby:
            assert (watch.next().id, lobby.next().name) == ("10", "lobby")
            game.move(game.x, 4)
            assert watch.next().id == "11"
            assert "Your turn" in lobby.next().data


def test_a_comment_keeps_the_connection_open(site: str) -> None:
    with watching(Table(site).url, since="10") as watch:
        assert watch.next(17) == Event("comment")
        assert 500 <= watch.retry <= 2500


def test_where_the_table_cannot_be_read_the_stream_says_so_and_goes_on(proxy: Handle) -> None:
    with playing("--endpoint", proxy.address) as (address, _):
        game = Table(address.rstrip("/"))
        with watching(game.url, since="10") as watch:
            proxy.set(Faults(error=1))
            assert watch.next(20).name == "trouble"
            assert opened(f"{address}events/", game.o.session).status_code == 503
            proxy.set(Faults())
            assert watch.next(20).name == "recovered"
            game.move(game.x, 4)
            assert watch.next().id == "11"


def test_refusals_are_a_sentence_at_the_right_status(site: str) -> None:
    game = Table(site)
    unknown = f"{site}/games/00000000-0000-4000-8000-000000000000/events/"
    nowhere = opened(f"{site}/games/12/events/")
    answers = [opened(unknown), nowhere, opened(f"{site}/events/"), game.o.session.post(game.url, timeout=10)]
    answers.append(opened(game.url, Host="elsewhere.example"))
    assert [answer.status_code for answer in answers] == [404, 404, 403, 405, 400]
    for answer in answers:
        assert re.fullmatch(r"[A-Z][^<>\n]*\.\n", answer.text), answer.text
    assert opened(f"{site}/healthz/").text == "ok\n"


@pytest.mark.parametrize(
    ("setting", "limit", "who"), [("streams_per_process", 3, "This server"), ("streams_per_address", 2, "Your address")]
)
def test_streams_are_limited(games_table: str, tmp_path: Path, setting: str, limit: int, who: str) -> None:
    file = configured_for(games_table, tmp_path)
    with Path(file).open("a") as config:
        config.write(f"{setting} = {limit}\n")
    with playing(CONFIG_FILE=file) as (address, _):
        url = Table(address.rstrip("/")).url
        responses = [opened(url) for _ in range(limit)]
        assert [response.status_code for response in responses] == [200] * limit
        refused = opened(url)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert refused.text.startswith(who)
        responses[0].close()
        assert comes_back(url)


def comes_back(url: str) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if opened(url).status_code == 200:
            return True
        time.sleep(0.1)
    return False


def test_a_process_that_serves_pages_says_that_it_has_no_events(games_table: str, tmp_path: Path) -> None:
    with serving(CONFIG_FILE=configured_for(games_table, tmp_path)) as site:
        answer = requests.get(f"{site}/events/", timeout=10)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert answer.text.count("\n") == 1
