"""A game's page shows what the others do, in real Chromium, until nothing more can happen."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from games.match import PACES, StoredMatch
from games.models import Game
from games.signing import rematch_of
from games.storage import store
from tests.conftest import stored
from tests.live.opened import ONLY_SHORT_TIMERS, Enter, Match, bring, cell, headline, line, until

# Nothing here depends on the engine.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


def test_opponents_move_appears_without_reload(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.evaluate("window.same = true")
    match.move(4)
    expect(cell(page, 4)).to_have_text("X")
    expect(headline(page)).to_have_text("Your turn: you play O.")
    assert page.evaluate("window.same")


def test_spectator_sees_moves_and_no_controls(enter: Enter, match: Match) -> None:
    page = enter(match.url)
    match.move(4)
    expect(cell(page, 4)).to_have_text("X")
    expect(page.get_by_text("You are watching.")).to_be_visible()
    expect(page.locator("#game").locator("button, form, input")).to_have_count(0)


def test_unchanged_push_keeps_selection_and_focus(enter: Enter, site: str, match: Match) -> None:
    invitation = store.invite(host=match.o, opponent=match.x)
    page = enter(f"{site}/games/{invitation.game_id}/", match.o)
    field = page.get_by_label("Send this link")
    field.select_text()
    page.evaluate("import('/static/games/fragment.js').then(({ news, shown }) => news(shown().outerHTML))")
    assert field.evaluate("field => field.selectionEnd - field.selectionStart") > 10
    expect(field).to_be_focused()
    store.accept(invitation.game_id, player=match.x)
    expect(headline(page)).to_have_text(f"{match.x}'s turn.")
    expect(headline(page)).to_be_focused()


def test_finished_game_page_sends_no_more_requests(enter: Enter, match: Match) -> None:
    page = enter(match.url)
    for square in (0, 3, 1, 4, 2):
        match.move(square)
    expect(headline(page)).to_have_text(f"{match.x} won.")
    expect(line(page)).to_have_text("")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    bring(page, in_front=False)
    bring(page, in_front=True)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_timeout(500)
    assert asked == []


def finish(match: Match, *pages: Page) -> None:
    """Finish the game while the players' pages are open."""
    for square in (0, 3, 1, 4, 2):
        match.move(square)
    for page in pages:
        expect(page.locator("#rematch")).to_be_visible()
        expect(page.locator("#offer")).to_be_hidden()


PLACES = """() => {
  window.board ??= document.querySelector(".board");
  const seen = [...document.querySelectorAll("main *")].filter((element) => !element.closest("#offer, .unseen"));
  return [window.board === document.querySelector(".board"), ...seen.map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [element.tagName, x, y, width, height].join();
  })];
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_rematch_offer_comes_and_goes_and_nothing_else_moves(enter: Enter, match: Match, width: int) -> None:
    page = enter(match.url, match.o)
    page.set_viewport_size({"width": width, "height": 844})
    finish(match, page)
    page.wait_for_timeout(1000)  # The line through three in a row is drawn.
    places = page.evaluate(PLACES)
    for end in (store.cancel, store.decline):
        over = stored(match.game.game_id).match()
        asked = store.rematch(over, player=match.x, game_id=rematch_of(over.game_id))
        expect(page.locator("#offer span")).to_be_visible()
        expect(page.locator("#offer span")).to_have_text(f"{match.x} asks for a rematch.")
        expect(page).to_have_title(f"(1) {match.x} asks for a rematch · Tic-Tac-Toe")
        assert page.evaluate(PLACES) == places
        page.get_by_role("button", name="No, thanks").focus()
        end(asked.game_id, player=match.x if end is store.cancel else match.o)
        expect(page.locator("#offer")).to_be_hidden()
        expect(headline(page)).to_be_focused()
        expect(page).to_have_title(f"You lost. {match.x} won · Tic-Tac-Toe")
        assert page.evaluate(PLACES) == places
    page.wait_for_timeout(500)
    assert [said for said in page.evaluate("window.said") if "rematch" in said] == [
        f"{match.x} asks for a rematch."
    ] * 2


def test_no_thanks_is_told_to_who_asked_at_once(enter: Enter, match: Match) -> None:
    asker, asked = enter(match.url, match.x), enter(match.url, match.o)
    finish(match, asker, asked)
    for page in (asker, asked):
        page.evaluate(ONLY_SHORT_TIMERS)
    asker.get_by_role("button", name="Rematch").click()
    asked.get_by_role("button", name="No, thanks").click()
    expect(asker.get_by_role("heading", name=f"{match.o} said: No, thanks.")).to_be_visible()
    expect(asked.locator("#offer")).to_be_hidden()
    assert asked.url == match.url


def test_rematch_begins_from_the_finished_game_for_who_accepts(enter: Enter, match: Match) -> None:
    asker, asked = enter(match.url, match.x), enter(match.url, match.o)
    finish(match, asker, asked)
    asker.get_by_role("button", name="Rematch").click()
    expect(asked.locator("#offer")).to_be_visible()
    asked.get_by_role("button", name="Rematch").click()
    expect(headline(asked)).to_have_text("Your turn: you play X.")
    expect(headline(asker)).to_have_text(f"{match.o}'s turn.")
    assert asker.url == asked.url


def test_rematch_offer_arrives_by_polls_where_there_is_no_stream(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o, held=True)
    finish(match, page)
    over = stored(match.game.game_id).match()
    store.rematch(over, player=match.x, game_id=rematch_of(over.game_id))
    expect(page.locator("#offer")).to_be_visible()


def test_cancelled_invitation_page_says_so(enter: Enter, site: str, match: Match) -> None:
    invitation = store.invite(host=match.o, opponent=match.x)
    page = enter(f"{site}/games/{invitation.game_id}/", match.x)
    store.cancel(invitation.game_id, player=match.o)
    expect(page.get_by_role("heading", name="This game isn't here any more")).to_be_visible()


def hurried(match: Match, pace: int) -> StoredMatch:
    """Start a new game between the two with ``pace`` seconds per move."""
    invited = store.invite(host=match.o, opponent=match.x, pace=pace)
    return store.accept(invited.game_id, player=match.x)


def test_expired_deadline_ends_game_on_both_pages(site: str, match: Match, enter: Enter) -> None:
    game = hurried(match, PACES["minutes"] or 0)
    url = f"{site}/games/{game.game_id}/"
    x, o = enter(url, match.x), enter(url, match.o)
    for page in (x, o):
        expect(page.locator(".clock time")).to_have_text(re.compile(r"^[45]:\d\d left$"))
        assert page.locator(".clock").get_attribute("aria-live") == "off"
    Game(game.game_id).update([Game.deadline.set(int(time.time()) + 20)])  # enough for both to reload
    for page in (x, o):
        page.reload()
        expect(page.locator(".clock time")).to_have_text(re.compile(r"0:[01]\d left|time is up"))
    expect(headline(x)).to_have_text(f"You ran out of time. {match.o} won.")
    expect(headline(o)).to_have_text(f"You won: {match.x} ran out of time.")
    expect(x.locator(".clock")).to_have_count(0)
    assert stored(game.game_id).ending == "late"


def test_daily_game_shows_hours_left(site: str, match: Match, enter: Enter) -> None:
    game = hurried(match, PACES["day"] or 0)
    page = enter(f"{site}/games/{game.game_id}/", match.x)
    expect(page.locator(".clock time")).to_have_text(re.compile("^24 hours left$"))
    page.goto(site)
    expect(page.locator("#lobby time.deadline")).to_have_text(re.compile("^24 hours left$"))


@pytest.mark.parametrize("minutes", [10, -10])
def test_clock_counts_by_the_servers_time(site: str, match: Match, enter: Enter, minutes: int) -> None:
    game = hurried(match, PACES["minutes"] or 0)
    page = enter(f"{site}/games/{game.game_id}/", match.x)
    page.evaluate(f"() => {{ const now = Date.now; Date.now = () => now() + {minutes} * 60_000; }}")
    page.evaluate("() => { window.dispatchEvent(new Event('online')); }")  # the next answer brings the time
    page.evaluate("""() => {
      window.ticks = 0;
      setInterval(() => window.ticks++, 1000);
    }""")
    until(page, "window.ticks > 2")
    expect(page.locator(".clock time")).to_have_text(re.compile(r"^[345]:\d\d left$"))
