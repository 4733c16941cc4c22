"""Rotating the secret key server by server invalidates nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.support.players import Player
from tests.support.sites import serving

pytestmark = pytest.mark.process

OLD, NEW = "284e784d-1a25-4a19-92bf-8eeb7a9c0ffe", "b7c5d1f0-5a53-4a86-9a3c-6c1f9e0c9d52"
# The environment of a server at each step, as Beanstalk sets it; the last no longer knows the old key.
STEPS = {
    "announced": {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": NEW},
    "changed": {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": OLD},
    "forgotten": {"SECRET_KEY": NEW},
}


@pytest.fixture
def servers(games_table: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the address of a server at each step. They share one table, and a browser's cookies."""
    file = tmp_path / "site.config"
    file.write_text(f"[dynamodb]\nregion = us-west-2\nendpoint = {games_table}\n[django]\nallowed_hosts = 127.0.0.1\n")
    with ExitStack() as running:
        yield {
            step: running.enter_context(serving(CONFIG_FILE=str(file), **secrets)) for step, secrets in STEPS.items()
        }


@pytest.mark.parametrize("engine", ["moto"], indirect=True)
def test_signatures_stay_valid_across_adjacent_rotation_steps(
    servers: dict[str, str],
) -> None:
    for made, used in (("announced", "changed"), ("changed", "announced")):
        host, opponent = Player(servers[made]), Player(servers[made])
        path = host.invite(opponent.name)
        position = state(opponent, servers[made], path)
        assert player(opponent, servers[used]) == opponent.name
        # Player sends the CSRF token of the first server's form in a header.
        opponent.site = servers[used]
        assert opponent.move(path, 4, position).status_code == 200
    host = Player(servers["announced"])
    path = host.invite("")
    position = state(host, servers["announced"], path)
    assert player(host, servers["forgotten"]) is None
    guest = Player(servers["forgotten"])
    assert guest.move(path, 4, position).status_code == 400


def player(browser: Player, server: str) -> str | None:
    """Return the player that the server considers logged in, if any."""
    name: str | None = get(browser, f"{server}/").get("player")
    return name


def state(browser: Player, server: str, path: str) -> str:
    """Return the signed position of the game, from this server."""
    return str(get(browser, f"{server}{path}")["position"])


def get(browser: Player, url: str) -> dict[str, str]:
    answer: requests.Response = browser.session.get(url, timeout=60)
    return dict(answer.json())
