"""Streams as on Beanstalk: their own process (Procfile), with nginx in front of it and of the pages' process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.live.test_streams import Table
from tests.support.faults import SILENCE, faulty
from tests.support.instances import Instance, instance, started
from tests.support.watching import END, opened, watching

pytestmark = [
    pytest.mark.process,
    pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True),
]


@pytest.fixture(autouse=True)
def patient_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let gunicorn wait for open requests for as long as a test may take."""
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--graceful-timeout 600")


@pytest.fixture
def site(games_table: str, tmp_path: Path) -> Iterator[Instance]:
    with instance(games_table, tmp_path) as running:
        yield running


def test_nginx_routes_pages_to_web_and_streams_events_unbuffered(site: Instance) -> None:
    game = Table(site.address)
    with watching(game.url, game.o.session) as watch, watching(f"{site.address}/events/", game.x.session) as lobby:
        assert (watch.next().id, lobby.next().name) == ("10", "lobby")
        game.move(game.x, 4)
        assert (watch.next().id, lobby.next().name) == ("11", "lobby")
    assert opened(f"http://127.0.0.1:{site.ports['web']}/events/").status_code == 503


def test_pages_survive_live_outage_and_streams_resume(site: Instance, games_table: str, tmp_path: Path) -> None:
    game = Table(site.address)
    with watching(game.url, since="10") as watch:
        site.processes["live"].terminate()
        assert watch.next().name == END
        assert site.processes["live"].wait(timeout=60) == 0, "it doesn't wait for the open stream"
    game.move(game.x, 4)
    assert opened(game.url).status_code == 502
    etag = requests.get(f"{site.address}{game.path}state/", timeout=60).headers["ETag"]
    unchanged = requests.get(f"{site.address}{game.path}state/", headers={"If-None-Match": etag}, timeout=60)
    assert unchanged.status_code == 304
    with faulty(games_table) as proxy:
        configured = tmp_path / "site.config"
        configured.write_text(configured.read_text().replace(games_table, proxy.address))
        with (
            started("live", site.ports["live"], proxy.address, tmp_path),
            watching(game.url, since="10") as watch,
            watching(f"{site.address}/events/", game.x.session) as lobby,
        ):
            assert (watch.next().id, lobby.next().name) == ("11", "lobby")
            proxy.set(SILENCE)  # So only a hint can tell it.
            game.move(game.o, 0)
            assert watch.named("board").id == "12"
            assert "Your turn" in lobby.named("lobby").data
