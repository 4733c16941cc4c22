"""A page in real Chromium finds its way back: after a restart, a sleep, or a stream that is cut."""

import re

import pytest
from playwright.sync_api import expect

from tests.live.opened import (
    EVENTS,
    ONLY_SHORT_TIMERS,
    STATE,
    Enter,
    Match,
    bring,
    cell,
    cut,
    headline,
    line,
    press,
    until,
)
from tests.support.engines import free_port
from tests.support.sites import playing

# Nothing here depends on the engine.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


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


def test_line_says_since_when_the_other_is_away(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    stream = "retry: 100\n\nevent: away\ndata: bob has been away since 2026-11-30T14:05:00+00:00\n\n"
    page.route(EVENTS, lambda route: route.fulfill(content_type="text/event-stream", body=stream))
    page.evaluate("window.dispatchEvent(new Event('online'))")  # begins the stream anew
    expect(line(page)).to_have_text(re.compile(r"^Live. bob has been away since \w+ \d+:\d\d"))
    page.unroute(EVENTS)
    expect(line(page)).to_have_text("Live")


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
    page.get_by_role("link", name="Back to your games").click()
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


def test_page_says_when_table_is_unreadable(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.route(STATE, lambda route: route.fulfill(status=503))
    cut(page)
    expect(line(page)).to_have_text(re.compile(r"The games can't be read just now, last checked \d+ s ago"))
    page.unroute(STATE)
    expect(line(page)).to_contain_text("Checking every")


def test_page_polls_while_a_proxy_holds_its_events(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o, held=True)
    match.move(4)
    expect(cell(page, 4)).to_have_text("X")
    expect(line(page)).to_have_text(re.compile("^Checking every"))


def test_line_that_the_browser_has_translated_is_left_alone(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.evaluate("""() => {
      window.ticks = 0;
      setInterval(() => window.ticks++, 1000);
      document.getElementById("connection").textContent = "En direct";
    }""")
    until(page, "window.ticks > 2")
    expect(line(page)).to_have_text("En direct")
    cut(page)
    expect(line(page)).to_have_text(re.compile("^Checking|^Reconnecting"))
