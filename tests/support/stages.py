"""Every page in every state: its path, the player who views it, and what they do first."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from playwright.sync_api import BrowserContext, Page

from accounts.names import is_guest
from accounts.store import block, claim, details, is_claimed
from games.match import StoredMatch
from games.models import Game
from games.storage import store
from tests.conftest import PASSWORD, stored

# Moves to each ending, with bob as X; the last one completes two lines at once.
WON, TIED, TWICE = "03142", "021354678", "132546870"


@dataclass(frozen=True)
class Stage:
    """A page seen by ``player`` (empty for a visitor), who does ``act`` first."""

    path: str
    player: str = ""
    act: Callable[[Page], None] | None = None

    def enter(self, site: str, context: BrowserContext) -> Page:
        if self.player:
            log_in(context, self.player, site)
        page = context.new_page()
        page.goto(f"{site}{self.path}")
        if self.act:
            self.act(page)
        return page


def log_in(context: BrowserContext, player: str, site: str) -> None:
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": session_of(player), "url": f"{site}/"}])


def session_of(player: str) -> str:
    """Return a session cookie's value that logs the player in. Create the player, if nobody has the name."""
    session = SessionStore()  # The site shares this process's secret key.
    session["player"] = player
    if not is_guest(player):
        if not is_claimed(player):
            claim(player, PASSWORD, address="192.0.2.1")
        session["generation"] = details(player).generation
    session.save()
    return str(session.session_key)


def game_after(moves: str, *, pace: int | None = None) -> StoredMatch:
    """Return alice's game against bob, who accepted and is X, after these moves."""
    game = store.accept(store.invite(host="alice", opponent="bob", pace=pace).game_id, player="bob")
    for number, digit in enumerate(moves):
        game = store.move(game, player=("bob", "alice")[number % 2], square=int(digit))
    return game


def _claim_badly(page: Page) -> None:
    page.get_by_label("Name").fill("!")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()


def _change_password_badly(page: Page) -> None:
    page.get_by_label("The one you have").fill(PASSWORD)
    page.get_by_label("The new one").fill("short")
    page.get_by_role("button", name="Change the password").click()


def _invite_badly(page: Page) -> None:
    page.get_by_label("Choose an opponent").fill("!")
    page.get_by_role("button", name="Invite", exact=True).click()


def _open_menu(page: Page) -> None:
    page.locator(".who > summary").click()
    page.get_by_text("Forget me on this browser").click()


def _ask_to_resign(page: Page) -> None:
    page.get_by_text("Resign", exact=True).click()


STAGES = {
    "welcome": "/",
    "log in": "/accounts/login/",
    "claim with errors": "/accounts/login/",
    "empty lobby": "/",
    "lobby": "/",
    "guest's menu": "/",
    "new game": "/games/new/",
    "new game with errors": "/games/new/",
    "named invitation, host": "named",
    "named invitation, invited": "named",
    "named invitation, visitor": "named",
    "open invitation, host": "open",
    "open invitation, visitor": "open",
    "expired invitation": "expired",
    "own turn": "turn",
    "own turn, resigning": "turn",
    "waiting": "turn",
    "watching": "turn",
    "own turn, with a clock": "paced",
    "won": "won",
    "won twice": "twice",
    "lost": "won",
    "tied": "tied",
    "resigned": "resigned",
    "replay of a game": "won replay",
    "replay with a mistake": "/replay/03142/?move=2",
    "replay at its end": "/replay/03142/",
    "player": "/players/bob/",
    "account": "/accounts/account/",
    "account with errors": "/accounts/account/",
    "privacy": "/privacy/",
    "name that is not allowed": "strange",
    "404": "/nowhere/",
}
PLAYERS = {
    "empty lobby": "charlie",
    "guest's menu": "guest-abc234",
    "named invitation, invited": "bob",
    "waiting": "bob",
    "won": "bob",
    "won twice": "bob",
    "lost": "alice",
}
NOBODY = {"welcome", "log in", "claim with errors", "named invitation, visitor", "open invitation, visitor", "watching"}
NOBODY |= {"privacy"}
ACTS = {
    "claim with errors": _claim_badly,
    "account with errors": _change_password_badly,
    "new game with errors": _invite_badly,
    "own turn, resigning": _ask_to_resign,
    "guest's menu": _open_menu,
}


def stages() -> dict[str, Stage]:
    """Store the games of STAGES; return all stages by name."""
    games = _games()
    found = {}
    for name, path in STAGES.items():
        player = "" if name in NOBODY else PLAYERS.get(name, "alice")
        found[name] = Stage(games.get(path, path), player, ACTS.get(name))
    return found


def _games() -> dict[str, str]:
    for name in ("alice", "bob", "charlie"):
        claim(name, PASSWORD, address="192.0.2.1")
    running = game_after("408")
    resigned = game_after("40")
    expired = store.invite(host="alice", opponent="dave")
    Game(expired.game_id).update([Game.expires_at.set(1)])
    store.invite(host="bob", opponent="alice")
    strange = store.invite(host="alice", opponent="Bob Smith, with a name of fifty letters and blanks")
    block("alice", "a-name-of-20-letters")
    games = {
        "named": store.invite(host="alice", opponent="bob"),
        "open": store.invite(host="alice", opponent=None),
        "strange": strange,
        "expired": expired,
        "turn": running,
        "paced": game_after("0", pace=300),
        "won": game_after(WON),
        "twice": game_after(TWICE),
        "tied": game_after(TIED),
        "resigned": store.resign(resigned, player="alice"),
    }
    paths = {name: f"/games/{game.game_id}/" for name, game in games.items()}
    return paths | {"won replay": f"{paths['won']}?move=3"}


def move(game: StoredMatch, square: int) -> None:
    """Take the square for the player to move, directly in the store."""
    now = stored(game.game_id).match()
    store.move(now, player=str(now.turn), square=square)
