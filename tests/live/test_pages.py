"""A page keeps itself up to date in real Chromium: by server-sent events, by polling, and when a phone interrupts."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from playwright.sync_api import Locator, Page, Route, expect

from games import rules
from games.match import PACES, StoredMatch
from games.models import Game
from games.storage import store
from tests.conftest import stored
from tests.support.engines import free_port
from tests.support.processes import comes_true
from tests.support.sites import playing

# Nothing here depends on the engine.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]

# Lets the tests read what was pushed, announced or notified, and set whether the page is in front.
INSTRUMENTS = """
window.pushed = [];
window.said = [];
window.notified = [];
window.rung = 0;
window.inFront = true;
const RealNotification = Notification;
const parse = DOMParser.prototype.parseFromString;
DOMParser.prototype.parseFromString = function (html, type) {
  window.pushed.push(Number(/data-version="(\\w+)"/.exec(html)?.[1]));
  return parse.call(this, html, type);
};
new MutationObserver((changes) => {
  for (const { target } of changes) if (target.id === "announcer") window.said.push(target.textContent);
}).observe(document, { childList: true, subtree: true });
Object.defineProperty(document, "hidden", { get: () => !window.inFront });
document.hasFocus = () => window.inFront;
window.bring = (inFront) => {
  window.inFront = inFront;
  document.dispatchEvent(new Event("visibilitychange"));
};
window.Notification = class {
  static requestPermission = () => RealNotification.requestPermission();
  static get permission() {
    return RealNotification.permission;
  }
  constructor(title, options) {
    window.notified.push(options.body);
  }
};
window.OscillatorNode = class extends OscillatorNode {
  constructor(...given) {
    super(...given);
    window.rung++;
  }
};
"""


@dataclass
class Match:
    """A game between two players with unique names; ``game`` is as it was created."""

    game: StoredMatch
    url: str
    x: str
    o: str

    def move(self, square: int) -> None:
        """Take the square for the player to move, directly in the store: no page and no hint tells the site."""
        now = stored(self.game.game_id).match()
        store.move(now, player=str(now.turn), square=square)

    @property
    def moves(self) -> str | None:
        return stored(self.game.game_id).recorded_moves


@pytest.fixture
def site(running: str) -> str:
    return running


@pytest.fixture
def match(site: str, games_table: str) -> Match:
    x, o = f"bob-{uuid4().hex[:6]}", f"alice-{uuid4().hex[:6]}"
    game = store.invite(host=o, opponent=x)
    return Match(store.accept(game.game_id, player=x), f"{site}/games/{game.game_id}/", x, o)


@pytest.fixture
def enter(open_browser: Callable[..., Page]) -> Callable[..., Page]:
    """Return a function that opens the page in a new browser, logged in if a player is named, and waits for "Live"."""

    def opened(url: str, player: str = "") -> Page:
        page = open_browser()
        page.context.add_init_script(INSTRUMENTS)
        if player:
            session = SessionStore()  # The site shares this process's secret key.
            session["player"] = player
            session.save()
            home = "/".join([*url.split("/")[:3], ""])
            page.context.add_cookies([{"name": "session", "value": str(session.session_key), "url": home}])
        page.goto(url)
        expect(line(page)).to_have_text("Live")
        return page

    return opened


# What the page does next isn't because of a timer of more than 5.5 s: those never fire.
ONLY_SHORT_TIMERS = """() => {
  const set = window.setTimeout;
  window.setTimeout = (then, after) => (after > 5500 ? 0 : set(then, after));
}"""
KEPT = "Object.keys(sessionStorage).filter(key => key.endsWith('/move/'))"
EVENTS = re.compile("/events/")
STATE = re.compile("/state/")
Enter = Callable[..., Page]


def line(page: Page) -> Locator:
    """Return the line where the page tells its connection state."""
    return page.locator("#connection")


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def cell(page: Page, square: int) -> Locator:
    return page.locator(f'[data-square="{rules.SQUARES[square]}"]')


def press(page: Page, square: int) -> None:
    page.locator(f"#{rules.SQUARES[square]}").click()


def cut(page: Page) -> None:
    """End the page's stream and block new ones."""
    page.route(EVENTS, lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('offline'))")


def bring(page: Page, *, in_front: bool) -> None:
    page.evaluate("bring", in_front)


def posts(page: Page) -> list[str]:
    """Return a list that collects the POST requests that the page sends from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    return sent


def until(page: Page, condition: str) -> None:
    """Wait until the condition is true. The content security policy forbids Playwright's own wait."""
    assert comes_true(lambda: page.evaluate(condition))


def lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort()


# Server-sent events.


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


def test_lobby_updates_and_keeps_focus(enter: Enter, site: str, match: Match) -> None:
    page = enter(site, match.o)
    game = page.locator(f"#game-{match.game.game_id}")
    game.focus()
    match.move(4)
    expect(page.get_by_text("Your turn", exact=True)).to_be_visible()
    expect(game).to_be_focused()


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
    page = enter(match.url, match.o)
    for square in (0, 3, 1, 4, 2):
        match.move(square)
    expect(headline(page)).to_have_text(f"You lost: {match.x} won.")
    expect(line(page)).to_have_text("")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    bring(page, in_front=False)
    bring(page, in_front=True)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_timeout(500)
    assert asked == []


def test_cancelled_invitation_page_says_so(enter: Enter, site: str, match: Match) -> None:
    invitation = store.invite(host=match.o, opponent=match.x)
    page = enter(f"{site}/games/{invitation.game_id}/", match.x)
    store.cancel(invitation.game_id, player=match.o)
    expect(page.get_by_role("heading", name="There is no such game")).to_be_visible()


def test_four_tabs_stream_and_further_ones_poll(enter: Enter, match: Match) -> None:
    tabs = [enter(match.url, match.o)]
    for _ in range(4):
        tabs.append(tabs[0].context.new_page())
        tabs[-1].goto(match.url)
        expect(line(tabs[-1])).to_have_text("Live" if len(tabs) < 5 else re.compile("Checking every"))
    match.move(4)
    for tab in tabs:
        expect(cell(tab, 4)).to_have_text("X")
    tabs[0].close()
    bring(tabs[4], in_front=True)
    expect(line(tabs[4])).to_have_text("Live")


def test_without_web_locks_only_visible_tab_streams(enter: Enter, match: Match) -> None:
    """A page without HTTPS has no locks, and seven tabs with a connection each would block the site."""
    page = enter(match.url, match.o)
    page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined });")
    page.reload()
    expect(line(page)).to_have_text("Live")
    bring(page, in_front=False)
    expect(line(page)).to_have_text(re.compile("Checking every"))
    match.move(4)
    bring(page, in_front=True)
    expect(line(page)).to_have_text("Live")
    expect(cell(page, 4)).to_have_text("X")


# The player's own move.


def test_own_move_appears_at_once_and_disables_other_squares(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    held: list[Route] = []
    page.route("**/move/", lambda route: held.append(route))
    press(page, 4)
    expect(cell(page, 4)).to_have_text("X")
    expect(page.locator(".board button:not([aria-disabled='true'])")).to_have_count(1)
    assert match.moves == ""
    held[0].continue_()
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    expect(cell(page, 4)).to_have_text("X")


def test_lost_race_is_corrected_and_push_waits_for_move(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    held: list[Route] = []
    page.route("**/move/", lambda route: held.append(route))
    press(page, 0)
    match.move(8)
    until(page, "window.pushed.includes(11)")
    expect(cell(page, 0)).to_have_text("X")
    expect(cell(page, 8)).to_have_text("")
    held[0].continue_()
    expect(page.locator("#game").get_by_role("alert")).to_contain_text("The game has moved on")
    expect(cell(page, 0)).to_have_text("")
    expect(cell(page, 8)).to_have_text("X")


def test_newer_push_during_move_is_shown_after_it(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    held: list[Route] = []
    page.route("**/move/", lambda route: held.append(route))
    press(page, 0)
    expect(cell(page, 0)).to_have_text("X")
    answer = held[0].fetch()  # The move is made; its response is still pending when the opponent's reply is pushed.
    match.move(8)
    until(page, "window.pushed.includes(12)")
    expect(cell(page, 8)).to_have_text("")
    held[0].fulfill(response=answer)
    expect(cell(page, 8)).to_have_text("O")
    expect(headline(page)).to_have_text("Your turn: you play X.")


def test_refused_move_is_undone(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.context.clear_cookies()
    press(page, 4)
    expect(page.get_by_role("alert").first).to_contain_text("cookies are off")
    expect(page.locator(".board button:not([aria-disabled='true'])")).to_have_count(9)
    expect(cell(page, 4)).to_have_text("")


def test_move_with_lost_reply_is_confirmed_by_push(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    sent = posts(page)
    page.route("**/move/", lose_the_answer)
    press(page, 4)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    assert page.evaluate(KEPT) == []  # No move is kept for sending again.
    assert len(sent) == 1


def test_retry_after_lost_reply_is_not_a_second_move(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    cut(page)
    page.route(STATE, lambda route: route.abort())
    sent = posts(page)
    page.route("**/move/", lose_the_answer, times=1)
    press(page, 4)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    expect(page.locator(".alert:visible")).to_have_count(0)
    assert (len(sent), match.moves) == (2, "4")


def test_offline_move_is_kept_and_sent_once(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.context.set_offline(True)
    expect(line(page)).to_have_text(re.compile(r"Offline: last checked \d+ s ago"))
    press(page, 4)
    expect(line(page)).to_have_text("Offline: your move is kept and goes out by itself")
    expect(cell(page, 4)).to_have_text("X")
    answered: list[int] = []
    page.on("response", lambda answer: answered.append(answer.status) if "/move/" in answer.url else None)
    page.context.set_offline(False)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    expect(line(page)).to_have_text("Live")
    assert (answered, match.moves) == ([200], "4")


def test_hanging_move_is_resent_when_back_online(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.evaluate(ONLY_SHORT_TIMERS)  # It would be given up after 10 s.
    page.route("**/move/", lambda route: None, times=1)
    press(page, 4)
    expect(cell(page, 4)).to_have_text("X")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    assert match.moves == "4"


def test_kept_move_survives_reload(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.route("**/move/", lambda route: route.abort())
    press(page, 4)
    expect(line(page)).to_have_text("Not sent yet: your move is kept and goes out by itself")
    page.unroute("**/move/")
    page.goto("about:blank")
    page.goto(match.url)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    assert match.moves == "4"


def test_kept_move_is_dropped_when_game_has_moved_on(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.route("**/move/", lambda route: route.abort())
    press(page, 4)
    expect(line(page)).to_contain_text("your move is kept")
    page.goto("about:blank")
    match.move(8)
    match.move(0)
    sent = posts(page)
    page.goto(match.url)
    expect(cell(page, 8)).to_have_text("X")
    expect(page.locator(".board button:not([aria-disabled='true'])")).to_have_count(7)
    assert sent == []
    # If it happens while the page is open, the page says so.
    press(page, 4)
    expect(line(page)).to_contain_text("your move is kept")
    match.move(1)
    expect(page.locator("#message")).to_contain_text("was not made")
    assert match.moves == "801"


# Never stale.


def test_page_reconnects_after_server_restart(enter: Enter, match: Match, engine: str) -> None:
    port = str(free_port())
    url = match.url.replace(match.url.split("/")[2], f"127.0.0.1:{port}")
    with playing("--endpoint", engine, "--port", port):
        page = enter(url, match.o)
    expect(line(page)).to_have_text(re.compile(r"Reconnecting, last checked \d+ s ago"))
    match.move(4)
    with playing("--endpoint", engine, "--port", port):
        expect(cell(page, 4)).to_have_text("X")
        expect(line(page)).to_have_text("Live")
        press(page, 0)
        expect(headline(page)).to_have_text(f"{match.x}'s turn.")


def test_page_brought_to_front_is_current_before_next_poll(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.evaluate(ONLY_SHORT_TIMERS)  # The next poll would be 11 s away, or more.
    bring(page, in_front=False)
    page.evaluate("Date.now = ((now) => () => now() + 3_600_000)(Date.now)")  # An hour passes.
    cut(page)
    expect(line(page)).to_have_text("Checking every 15 s")
    match.move(4)
    bring(page, in_front=True)
    expect(cell(page, 4)).to_have_text("X")


def test_page_polls_at_once_after_sleep(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.evaluate(ONLY_SHORT_TIMERS)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.route(STATE, lambda route: route.abort())
    cut(page)
    # Polling backs off: the next one is six seconds away, or more.
    while len([url for url in failed if "/state/" in url]) < 3:
        page.wait_for_event("requestfailed")
    match.move(4)
    page.unroute(STATE)
    page.evaluate("Date.now = ((now) => () => now() + 3_600_000)(Date.now)")
    expect(cell(page, 4)).to_have_text("X")


def test_back_button_shows_current_game(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.get_by_role("link", name="To your games").click()
    expect(page.get_by_role("heading", name="Your games")).to_be_visible()
    match.move(4)
    page.go_back()
    expect(cell(page, 4)).to_have_text("X")
    press(page, 0)
    expect(headline(page)).to_have_text(f"{match.x}'s turn.")
    # Simulate the back/forward cache, which Chromium doesn't use under test.
    with page.expect_navigation():
        page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")


def test_page_polls_without_stream_and_returns_to_it(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    answers: list[int] = []
    page.on("response", lambda answer: answers.append(answer.status) if "/state/" in answer.url else None)
    cut(page)
    expect(line(page)).to_have_text("Checking every 1 s")
    match.move(4)
    expect(cell(page, 4)).to_have_text("X")
    with page.expect_response(lambda answer: answer.status == 304):
        pass
    assert answers[0] == 200
    page.unroute(EVENTS)
    expect(line(page)).to_have_text("Live")
    answers.clear()
    match.move(0)
    expect(cell(page, 0)).to_have_text("O")
    assert answers == []


def test_lobby_polls_without_stream(enter: Enter, site: str, match: Match) -> None:
    page = enter(site, match.o)
    cut(page)
    expect(line(page)).to_have_text("Checking every 5 s")
    match.move(4)
    expect(page.get_by_text("Your turn", exact=True)).to_be_visible()


def test_page_says_when_table_is_unreadable(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.route(STATE, lambda route: route.fulfill(status=503))
    cut(page)
    expect(line(page)).to_have_text(re.compile(r"The games can't be read just now, last checked \d+ s ago"))
    page.unroute(STATE)
    expect(line(page)).to_contain_text("Checking every")


def test_logout_in_one_tab_reaches_all_tabs(enter: Enter, site: str, match: Match) -> None:
    page = enter(site, match.x)
    tab = page.context.new_page()
    tab.goto(match.url)
    expect(tab.locator(".board button")).to_have_count(9)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Press a square to begin")).to_be_visible()
    expect(tab.locator(".board button")).to_have_count(0)
    expect(tab.get_by_role("button", name="Log out")).to_have_count(0)
    match.move(4)
    expect(cell(tab, 4)).to_have_text("X")


# Cues.


def test_title_and_icon_show_waiting_games(enter: Enter, site: str, match: Match) -> None:
    page = enter(match.url, match.o)
    lobby = page.context.new_page()
    lobby.goto(site)
    expect(page).to_have_title(f"{match.x}'s turn · Tic-Tac-Toe")
    expect(lobby).to_have_title("Your games · Tic-Tac-Toe")
    match.move(4)
    expect(page).to_have_title("(1) Your turn: you play O · Tic-Tac-Toe")
    expect(lobby).to_have_title("(1) Your games · Tic-Tac-Toe")
    for tab in (page, lobby):
        expect(tab.locator("link[rel=icon]")).to_have_attribute("href", re.compile("icon-turn"))
    press(page, 0)
    expect(page).to_have_title(f"{match.x}'s turn · Tic-Tac-Toe")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("icon.svg"))


def test_each_move_is_announced_once(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    until(page, "window.said.length > 0")  # Half a second after the page is loaded.
    press(page, 4)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    match.move(0)
    expect(headline(page)).to_have_text("Your turn: you play X.")
    bring(page, in_front=True)  # polls once more
    page.wait_for_timeout(500)
    # On a busy machine the stream may be late enough to be announced as lost.
    said = [sentence for sentence in page.evaluate("window.said") if "onnect" not in sentence]
    assert said == [
        "Your turn: you play X.",
        f"X played centre. {match.o}'s turn.",
        "O played top left. Your turn.",
    ]


def test_player_in_another_tab_gets_sound_and_notification(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.context.grant_permissions(["notifications"])
    sound, notification = page.get_by_role("button", name="Play a sound"), page.get_by_role("button", name="Notify me")
    sound.click()
    notification.click()
    for button in (sound, notification):
        expect(button).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("window.rung") == 2  # a sample, when switched on
    match.move(4)
    expect(headline(page)).to_have_text("Your turn: you play O.")  # in front: no notification
    press(page, 0)
    expect(headline(page)).to_have_text(f"{match.x}'s turn.")
    bring(page, in_front=False)
    match.move(8)
    until(page, "window.notified.length > 0")
    assert page.evaluate("[window.notified, window.rung]") == [["X played bottom right. Your turn."], 4]
    for button in (sound, notification):
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
    press(page, 1)
    expect(headline(page)).to_have_text(f"{match.x}'s turn.")
    match.move(2)
    expect(cell(page, 2)).to_have_text("X")
    page.wait_for_timeout(1000)
    assert page.evaluate("[window.notified.length, window.rung]") == [1, 4]


def test_only_one_tab_notifies_and_none_if_one_is_in_front(enter: Enter, site: str, match: Match) -> None:
    page = enter(match.url, match.o)
    page.context.grant_permissions(["notifications"])
    lobby = page.context.new_page()
    lobby.goto(site)
    bring(lobby, in_front=False)
    page.get_by_role("button", name="Notify me").click()
    expect(lobby.get_by_role("button", name="Notify me")).to_have_attribute("aria-pressed", "true")

    def calls() -> int:
        for tab in (page, lobby):
            expect(tab).to_have_title(re.compile(r"\(1\)"))
        page.wait_for_timeout(1000)
        return sum(tab.evaluate("window.notified.length") for tab in (page, lobby))

    match.move(4)
    assert calls() == 0
    press(page, 0)
    bring(page, in_front=False)
    expect(lobby).to_have_title("Your games · Tic-Tac-Toe")
    match.move(8)
    assert calls() == 1


def test_blocked_notifications_are_explained(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    button = page.get_by_role("button", name="Notify me")
    button.click()
    expect(page.get_by_text("The browser blocks notifications")).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "false")


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
    Game(game.game_id).update([Game.deadline.set(int(time.time()) + 3)])
    for page in (x, o):
        page.reload()
        expect(page.locator(".clock time")).to_have_text(re.compile(r"0:0\d left|time is up"))
    expect(headline(x)).to_have_text(f"You ran out of time: {match.o} won.")
    expect(headline(o)).to_have_text(f"You won: {match.x} ran out of time.")
    expect(x.locator(".clock")).to_have_count(0)
    assert stored(game.game_id).ending == "late"


def test_daily_game_shows_hours_left(site: str, match: Match, enter: Enter) -> None:
    game = hurried(match, PACES["day"] or 0)
    page = enter(f"{site}/games/{game.game_id}/", match.x)
    expect(page.locator(".clock time")).to_have_text(re.compile("^2[34] hours left$"))
    page.goto(site)
    expect(page.locator("#lobby time.deadline")).to_have_text(re.compile("^2[34] hours left$"))
