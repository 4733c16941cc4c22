"""Event streams seen by a client without a browser: which events each viewer gets, and when a stream ends."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from django.utils.timezone import now

from accounts.names import called
from games.match import Status
from games.models import Game
from games.pages.lobby import LobbyPage
from games.storage import lobby as lobbies
from tests.conftest import stored
from tests.support.faults import Faults, Handle
from tests.support.many import game_of, put
from tests.support.pages import csrf_in
from tests.support.players import Player
from tests.support.processes import comes_true
from tests.support.sites import configured_for, playing, serving
from tests.support.watching import END, Event, opened, repeated, watching

pytestmark = [pytest.mark.process, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


@pytest.fixture
def site(running: str, games_table: str) -> str:
    """Return the address of a site on the engine's table."""
    return running


class Table:
    """A running game between two guests; ``x`` moves first."""

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


def test_move_is_pushed_to_opponent_and_spectator(site: str) -> None:
    game = Table(site)
    with watching(game.url, game.o.session) as other, watching(game.url) as spectator:
        assert {other.next().id, spectator.next().id} == {"10"}
        game.move(game.x, 4)
        pushed, seen = other.next(), spectator.next()
    assert (pushed.name, pushed.id, seen.id) == ("board", "11", "11")
    assert pushed.data.startswith('<div id="game"')
    assert "Your turn: you play O." in pushed.data
    assert "<form" in pushed.data
    assert f"{called(game.o.name)}'s turn." in seen.data.replace("&#39;", "'")
    assert not re.search(r"<(form|button|input)", seen.data)


def test_player_is_told_that_the_other_has_left_and_is_back(site: str) -> None:
    game = Table(site)
    with watching(game.url, game.o.session) as other:
        other.named("board")
        with watching(game.url, game.x.session) as watch:
            watch.named("board")
            watch.named("comment")  # Shorter streams may be behind a proxy that keeps events back.
        away = other.named("away")
        with watching(game.url, game.x.session):
            back = other.named("away")
    assert re.fullmatch(rf"{re.escape(called(game.x.name))} has been away since \S+\+00:00", away.data)
    assert back.data == ""


def test_pushed_form_can_be_submitted(site: str) -> None:
    game = Table(site)
    with watching(game.url, game.x.session) as watch:
        form = dict(re.findall(r'name="(csrfmiddlewaretoken|position)" value="([^"]+)"', watch.next().data))
    answer = game.x.session.post(f"{site}{game.path}move/", data=form | {"square": "TopLeft"}, timeout=60)
    assert answer.status_code == 200
    assert answer.json()["moves"] == "0"


def test_only_newer_versions_are_sent(site: str) -> None:
    game = Table(site)
    game.play("40")
    with watching(game.url, since="12") as current, watching(game.url, since="10") as behind:
        assert behind.next().id == "12"  # the current board, skipping the one between
        assert current.nothing(0.5)
        game.move(game.x, 8)
        assert current.next().id == behind.next().id == "13"
    with watching(f"{game.url}?since=12") as by_address:
        assert by_address.next().id == "13"


@pytest.mark.parametrize("since", ["19", "29", "99"])
def test_older_board_than_clients_is_not_sent(site: str, since: str) -> None:
    with watching(Table(site).url, since=since) as watch:
        assert watch.nothing(2.5)


@pytest.mark.parametrize("since", ["‹no version›".encode().decode("latin-1"), "9" * 5000, "-1", "²"])
def test_invalid_last_event_id_gets_current_board(site: str, since: str) -> None:
    with watching(Table(site).url, since=since) as watch:
        assert watch.next().id == "10"


def test_finished_games_stream_ends_and_reconnect_is_204(site: str) -> None:
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


def test_cancelled_invitation_sends_gone_and_then_404(site: str) -> None:
    host = Player(site)
    path = host.invite("")
    with watching(f"{site}{path}events/", since="0") as watch:
        host.insist("POST", f"{path}cancel/")
        assert [watch.next().name, watch.next().name] == ["gone", END]
    assert opened(f"{site}{path}events/").status_code == 404


def test_item_deleted_without_hint_sends_gone(site: str) -> None:
    path = Player(site).invite("")
    with watching(f"{site}{path}events/", since="0") as watch:
        stored(path.split("/")[2]).delete()
        assert watch.next().name == "gone"


@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS])
def test_impossible_board_sends_gone(site: str, status: Status) -> None:
    path = Player(site).invite("")
    with watching(f"{site}{path}events/", since="0") as watch:
        broken = {"status_date": status.dated(datetime.now(UTC)), "top_left": "X", "top_middle": "X"}
        game = stored(path.split("/")[2])
        game.update([getattr(Game, name).set(value) for name, value in broken.items()], Game.game_id.exists())
        assert [watch.next().name, watch.next().name] == ["gone", END]


def test_watched_invitation_expires_and_stream_ends(site: str) -> None:
    soon = int(datetime.now(UTC).timestamp()) + 4
    [game_id] = put([game_of(Status.PENDING, 0, "alice", "bob", expires_at=soon)])
    with watching(f"{site}/games/{game_id}/events/", since="0") as watch:
        event = watch.next()
        assert (event.id, watch.next().name) == ("9", END)
    assert "has expired" in event.data


def test_logout_ends_own_streams_only(site: str) -> None:
    game = Table(site)
    watches = [(game.url, game.x.session), (f"{site}/events/", game.x.session), (game.url, None)]
    with watching(*watches[0]) as own, watching(*watches[1]) as lobby, watching(*watches[2]) as other:
        assert {own.next().name, lobby.next().name, other.next().name} == {"board", "lobby"}
        stranger = requests.Session()
        stranger.get(f"{site}/accounts/login/", timeout=60)
        token = {"X-CSRFToken": csrf_in(stranger.cookies)}
        assert stranger.post(f"{site}/accounts/logout/", headers=token, timeout=60).status_code == 200
        game.x.insist("POST", "/accounts/logout/")
        assert own.next() == lobby.next() == Event(END)
        assert other.nothing(0.5)
    assert opened(f"{site}/events/", game.x.session).status_code == 403


def test_lobby_stream_follows_own_games(site: str) -> None:
    alice, bob = Player(site), Player(site)
    with watching(f"{site}/events/", alice.session) as lobby:
        assert "No games yet" in lobby.next().data
        path = bob.invite(alice.name)
        invited = lobby.next()
        assert f"{called(bob.name)}</bdi></b> invites you" in invited.data
        assert 'data-waiting="1"' in invited.data
        position = alice.insist("POST", f"{path}accept/").json()["position"]
        assert "Your turn" in lobby.next().data
        position = alice.move(path, 4, position).json()["position"]
        assert "Your turn" not in lobby.next().data
        bob.move(path, 0, position)
        event = lobby.next()
        assert "Your turn" in event.data
        assert lobby.nothing(3)  # nor when the index is read, which says the same
    with watching(f"{site}/events/", alice.session, since=event.id) as again:
        assert again.nothing(1)


def test_repeated_hints_do_not_postpone_lobby_read(games_table: str) -> None:
    with playing("--endpoint", games_table) as (here, _), playing("--endpoint", games_table) as (there, _):
        alice, bob, cat = Player(here), Player(here), Player(there)
        path = alice.invite(bob.name)
        with watching(f"{here}events/", alice.session) as lobby:
            lobby.next()
            bob.insist("POST", f"{path}accept/")
            cat.invite(alice.name)
            with repeated(lambda: bob.insist("POST", f"{path}accept/")):  # accepting again sends the hint again
                said = [lobby.next().data, lobby.next().data]
    assert f"{called(cat.name)}</bdi></b> invites you" in said[-1]


def test_newer_lobby_of_client_is_not_replaced(games_table: str) -> None:
    with playing("--endpoint", games_table) as (here, _), playing("--endpoint", games_table) as (there, _):
        alice, bob = Player(here), Player(there)
        with watching(f"{here}events/", alice.session) as lobby:
            old = lobby.next()
            path = bob.invite(alice.name)  # on the other site: no hint arrives here
            newer = LobbyPage(lobbies.newest(alice.name, now()), alice.name, now()).version
            assert newer != old.id
            with watching(f"{here}events/", alice.session, since=newer) as second_tab:
                assert second_tab.nothing(3)
                bob.insist("POST", f"{path}cancel/")
                assert second_tab.next().id == old.id


def test_declined_invitation_leaves_hosts_lobby(site: str) -> None:
    alice, bob = Player(site), Player(site)
    path = alice.invite(bob.name)
    with watching(f"{site}/events/", alice.session) as lobby:
        assert "Your invitation" in lobby.next().data
        bob.insist("POST", f"{path}decline/")
        assert "No games yet" in lobby.next().data


def test_move_on_another_server_arrives_through_table(games_table: str) -> None:
    with playing("--endpoint", games_table) as (here, _), playing("--endpoint", games_table) as (there, _):
        game = Table(here.rstrip("/"), there.rstrip("/"))
        with watching(game.url) as watch, watching(f"{here}events/", game.o.session) as lobby:
            assert (watch.next().id, lobby.next().name) == ("10", "lobby")
            game.move(game.x, 4)
            assert watch.next().id == "11"
            assert "Your turn" in lobby.next().data


def test_comment_is_sent_as_keepalive(site: str) -> None:
    with watching(Table(site).url, since="10") as watch:
        assert watch.next(30) == Event("comment")  # after 15 s; a load balancer closes a silent connection after 60
        assert 500 <= watch.retry <= 2500


def test_stream_reports_table_outage_and_recovery(proxy: Handle) -> None:
    with playing("--endpoint", proxy.address) as (address, _):
        game = Table(address.rstrip("/"))
        with watching(game.url, since="10") as watch:
            proxy.set(Faults(error=1))
            assert watch.next().name == "trouble"
            assert opened(f"{address}events/", game.o.session).status_code == 503
            proxy.set(Faults())
            assert watch.next().name == "recovered"
            game.move(game.x, 4)
            assert watch.next().id == "11"


def test_stream_errors_have_status_and_plain_text(site: str) -> None:
    game = Table(site)
    unknown = f"{site}/games/00000000-0000-4000-8000-000000000000/events/"
    nowhere = opened(f"{site}/games/12/events/")
    answers = [opened(unknown), nowhere, opened(f"{site}/events/"), game.o.session.post(game.url, timeout=60)]
    answers.append(opened(game.url, Host="elsewhere.example"))
    assert [answer.status_code for answer in answers] == [404, 404, 403, 405, 400]
    for answer in answers:
        assert re.fullmatch(r"[A-Z][^<>\n]*\.\n", answer.text), answer.text
    assert opened(f"{site}/healthz/").text == "ok\n"


@pytest.mark.parametrize(
    ("setting", "limit", "who"), [("streams_per_process", 3, "This server"), ("streams_per_address", 2, "Your address")]
)
def test_streams_are_limited_per_process_and_address(
    games_table: str, tmp_path: Path, setting: str, limit: int, who: str
) -> None:
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
        assert comes_true(lambda: opened(url).status_code == 200)


def test_web_process_answers_events_with_503(games_table: str, tmp_path: Path) -> None:
    with serving(CONFIG_FILE=configured_for(games_table, tmp_path)) as site:
        answer = requests.get(f"{site}/events/", timeout=60)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert answer.text.count("\n") == 1
