"""From game to game: the lobby's order, and the way to the next game that waits for the player."""

import re
from itertools import count, pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from games.models import Game
from games.storage import store
from tests.live.opened import Enter, Match, cell
from tests.support.stages import log_in

# Nothing here depends on the engine.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


@pytest.fixture
def queue(match: Match) -> list[str]:
    """Return the paths of three games that wait for the match's X, in the lobby's order; the match's is the first."""
    games = [match.game, *(store.challenge_computer(host=match.x, host_begins=True) for _ in range(2))]
    for game, moved_at in zip(games, count(1_700_000_000), strict=False):
        Game(game.game_id).update([Game.moved_at.set(moved_at)])
    return [f"/games/{game.game_id}/" for game in games]


def next_game(page: Page) -> Any:
    return page.get_by_role("link", name="Next game")


def path(page: Page) -> str:
    return "/" + page.url.split("/", 3)[3]


def test_next_game_leads_through_the_queue_until_none_is_left(
    enter: Enter, site: str, match: Match, queue: list[str]
) -> None:
    page = enter(site, match.x)
    page.locator(".mine a").first.click()
    page.wait_for_url(f"**{queue[0]}")
    requests: list[str] = []
    cell(page, 4).click()
    expect(page.get_by_role("heading", name=f"{match.o}'s turn.")).to_be_visible()
    expect(next_game(page)).to_have_text("Next game (2)")
    page.on("request", lambda request: requests.append(request.method) if request.is_navigation_request() else None)
    next_game(page).click()
    page.wait_for_url(f"**{queue[1]}")
    assert requests == ["GET"]
    expect(next_game(page)).to_have_text("Next game (1)")  # The computer has replied: the game waits again.
    page.keyboard.press("n")
    page.wait_for_url(f"**{queue[2]}")
    expect(next_game(page)).to_have_text("Next game (1)")
    for number in (2, 1):
        expect(page.get_by_role("heading", name="Your turn")).to_be_visible()
        page.get_by_text("Resign", exact=True).click()
        page.get_by_role("button", name="Yes, resign").click()
        expect(page.get_by_role("heading", name="You resigned")).to_be_visible()
        if number == 2:
            page.keyboard.press("n")
            page.wait_for_url(f"**{queue[1]}")
    expect(next_game(page)).to_be_hidden()
    page.keyboard.press("n")
    match.move(0)
    page.goto(f"{site}{queue[0]}")
    expect(page.get_by_role("heading", name="Your turn")).to_be_visible()
    expect(next_game(page)).to_be_hidden()


def test_new_game_suggests_the_people_of_the_lobby(enter: Enter, site: str, match: Match, queue: list[str]) -> None:
    """Not the computer, with whom there are two games."""
    page = enter(site, match.x)
    page.get_by_role("link", name="Create game").click()
    people = page.get_by_role("group", name="From your games:").get_by_role("button")
    expect(people).to_have_text([match.o])
    people.click()
    expect(page.get_by_label("Choose an opponent")).to_have_value(match.o)
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_role("heading")).to_have_text(re.compile(match.o))


def test_new_game_of_somebody_else_suggests_nobody(enter: Enter, site: str, match: Match) -> None:
    page = enter(site, match.x)
    log_in(page.context, "charlie", site)
    page.goto(f"{site}/games/new/")
    expect(page.get_by_label("Choose an opponent")).to_be_visible()
    expect(page.get_by_role("group", name="From your games:")).to_be_hidden()


def test_key_is_for_nothing_else_and_can_be_switched_off(
    enter: Enter, site: str, match: Match, queue: list[str]
) -> None:
    page = enter(site, match.x)
    page.goto(match.url)
    expect(next_game(page)).to_have_text("Next game (2)")
    for modifier in ("ctrlKey", "altKey", "metaKey", "shiftKey"):
        page.evaluate(
            """(modifier) => {
              const options = { key: "n", bubbles: true, [modifier]: true };
              document.body.dispatchEvent(new KeyboardEvent("keydown", options));
            }""",
            modifier,
        )
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    page.locator("main > input").press("n")
    switch = page.get_by_role("button", name="Key N opens the next game")
    expect(switch).to_have_attribute("aria-pressed", "true")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("n")
    page.reload()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("n")
    assert path(page) == queue[0]
    switch.click()
    page.keyboard.press("n")
    page.wait_for_url(f"**{queue[1]}")


def test_queue_is_the_players_own(enter: Enter, site: str, match: Match, queue: list[str]) -> None:
    page = enter(site, match.x)
    page.goto(match.url)
    expect(next_game(page)).to_have_text("Next game (2)")
    page.context.clear_cookies()
    log_in(page.context, match.o, site)
    page.goto(match.url)
    expect(page.get_by_role("heading", name=f"{match.x}'s turn.")).to_be_visible()
    page.wait_for_function("sessionStorage.queue === '[]'")
    expect(next_game(page)).to_be_hidden()


def test_next_game_without_scripts_is_the_lobby(site: str, match: Match, open_browser: Any) -> None:
    page = open_browser(javascript=False)
    log_in(page.context, match.x, site)
    page.goto(match.url)
    expect(next_game(page)).to_have_count(0)
    page.get_by_role("button", name="Centre, empty").click()
    next_game(page).click()
    assert path(page) == "/"


@pytest.fixture
def crowded(match: Match) -> Match:
    """Give the match's O six invitations and a dozen games; X is to move in half of them."""
    for number in range(12):
        if number < 6:
            store.invite(host=f"friend{number}", opponent=match.o)
        game = store.accept(store.invite(host=match.o, opponent=f"rival{number}").game_id, player=f"rival{number}")
        if number % 2:
            store.move(game, player=f"rival{number}", square=number % 9)
        if number % 3:
            store.resign(game, player=match.o)
    return match


@pytest.mark.usefixtures("queue")
def test_times_have_the_local_time_as_a_tooltip(enter: Enter, site: str, match: Match) -> None:
    page = enter(site, match.x)
    times = page.locator(".mine time")
    local = "new Date(1.7e12).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })"
    title = page.evaluate(local)
    for moved, waiting in ((False, 3), (True, 2)):
        if moved:
            match.move(4)
            expect(page.get_by_text(f"{match.o}'s turn")).to_be_visible()  # The lists have been replaced.
        expect(times).to_have_count(waiting)
        for time in times.all():
            time.hover()
            expect(time).to_have_attribute("title", title)


def test_first_game_that_waits_is_on_a_phones_first_screen(enter: Enter, site: str, crowded: Match) -> None:
    crowded.move(4)
    page = enter(site, crowded.o)
    page.set_viewport_size({"width": 390, "height": 844})
    box = page.locator(".mine").first.bounding_box()
    assert box
    assert box["y"] + box["height"] < 844 / 2


def test_cards_of_a_wide_lobby_leave_no_hole(enter: Enter, site: str, crowded: Match) -> None:
    page = enter(site, crowded.o)
    page.set_viewport_size({"width": 1280, "height": 800})
    boxes = [card.bounding_box() for card in page.locator("#lobby > .card").all()]
    columns: dict[float, list[Any]] = {}
    for box in boxes:
        assert box
        columns.setdefault(box["x"], []).append(box)
    assert len(columns) == 2
    assert len({cards[0]["y"] for cards in columns.values()}) == 1
    for cards in columns.values():
        for above, below in pairwise(cards):
            assert 0 < below["y"] - above["y"] - above["height"] < 30
