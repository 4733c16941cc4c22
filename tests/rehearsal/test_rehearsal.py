"""The bundle as Beanstalk runs it: the seed's section 3.4, and what a load balancer and two instances require."""

import json
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.conftest import stored
from tests.rehearsal.conftest import Stage
from tests.rehearsal.instances import HEALTH_CHECK, Instance
from tests.rehearsal.proxies import IDLE_SECONDS
from tests.support.players import Player
from tests.support.processes import comes_true
from tests.support.watching import watching
from tests.test_browsers import ENDINGS, check_the_end, claim, play

pytestmark = [pytest.mark.process, pytest.mark.browser]


def requests_of(instance: Instance) -> Iterator[dict[str, object]]:
    """Yield the request lines of an instance's log."""
    for line in instance.log("web").splitlines():
        if line.startswith("{") and "status" in (found := json.loads(line)):
            yield found


def test_unconfigured_deployment_is_healthy_and_asks_for_config_file(stage: Stage) -> None:
    stage.set_properties()
    for instance in stage.instances:
        health = requests.get(f"{instance.address}/healthz/", headers=HEALTH_CHECK, timeout=60)
        assert health.status_code == 200
    page = requests.get(stage.address, timeout=60)
    assert page.status_code == 503
    assert "CONFIG_FILE" in page.text
    assert "beanstalk.config" in page.text


def test_configured_site_creates_table_and_becomes_ready(site: Stage) -> None:
    for instance in site.instances:
        assert comes_true(lambda: requests.get(f"{instance.address}/readyz/", timeout=60).status_code == 200)  # noqa: B023


@pytest.mark.parametrize("ending", ["win", "tie"])
def test_seed_walk_through_balancer(site: Stage, open_browser: Callable[..., Page], ending: str) -> None:
    first, second = open_browser(), open_browser()
    names = [f"testuser1-{ending}", f"testuser2-{ending}"]
    before = [len(list(requests_of(instance))) for instance in site.instances]
    for page, name in zip((first, second), names, strict=True):
        page.goto(site.address)
        page.get_by_role("link", name="Choose a name").click()
        claim(page, name)
    first.get_by_role("link", name="Create game").click()
    first.get_by_label("Choose an opponent").fill(names[1])
    first.get_by_role("button", name="Invite", exact=True).click()
    expect(first.locator(".headline")).to_contain_text(names[1])
    second.get_by_role("button", name=f"Accept {names[0]}'s invitation").click()
    expect(second.locator(".headline")).to_have_text("Your turn: you play X.")
    game_id = second.url.split("/")[-2]
    play(game_id, ENDINGS[ending][0], second, first, javascript=True)
    check_the_end(stored(game_id).match(), ending, second, first, javascript=True)
    check_that_both_served_both(site, before)


def check_that_both_served_both(site: Stage, before: list[int]) -> None:
    """Check that each browser's requests went to both instances."""
    players = [
        {line["player"] for line in list(requests_of(instance))[start:] if line["player"]}
        for instance, start in zip(site.instances, before, strict=True)
    ]
    assert len(players[0]) == 2
    assert players[0] == players[1]


def test_session_is_valid_on_other_instance(site: Stage) -> None:
    one, two = site.instances
    player = Player(one.address)
    path = player.invite("")
    assert player.session.get(f"{two.address}{path}", timeout=60).json()["host"] == player.name
    player.site = two.address
    assert player.insist("POST", f"{path}cancel/").status_code == 200


def test_readyz_reports_missing_shared_secret(site: Stage) -> None:
    site.set_properties(CONFIG_FILE="beanstalk.config")
    ready = requests.get(f"{site.address}/readyz/", timeout=60)
    assert ready.status_code == 503
    assert "secret_key" in ready.json()["error"]
    one, two = site.instances
    # A single server without a balancer needs no shared secret.
    assert requests.get(f"{one.address}/readyz/", timeout=60).status_code == 200
    player = Player(one.address)
    assert player.session.get(f"{one.address}/", timeout=60).status_code == 200
    assert player.session.post(f"{two.address}/games/new/", timeout=60).status_code == 403


def test_stream_outlives_balancers_idle_timeout(site: Stage) -> None:
    path = Player(site.address).invite("")
    with watching(f"{site.address}{path}events/", since="0") as watch:
        # A comment comes every 15 s, so this takes longer than two idle timeouts.
        assert [watch.next(IDLE_SECONDS).name for _ in range(3)] == ["comment"] * 3
        player = Player(site.address)
        player.insist("POST", f"{path}accept/")
        assert watch.next().name == "board"
