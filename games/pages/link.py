"""A link to a game: its address, its QR code, and the title and hint that a messenger shows below it."""

from typing import Any, NamedTuple

import segno
from markupsafe import Markup

from accounts.names import is_guest
from games.pages.game import LEVELS_SAID, GamePage
from games.signing import new_game

OPEN_SEAT = "Press a square to begin. No account needed."
QR_CODE = Markup('<svg role="img" aria-label="QR code of the link: point the other phone&#39;s camera at it." ')


class Link(NamedTuple):
    """A link to the page's game. ``address`` is the full URL, with the site's host."""

    page: GamePage
    address: str

    def context(self, *, error: str = "", unclaimed: bool = False, still: bool = False) -> dict[str, Any]:
        """Return the context of a game's templates (games/_game.html describes it), without the CSRF field."""
        said = {"error": error, "unclaimed": unclaimed, "still": still, "levels": LEVELS_SAID}
        return {"page": self.page, "link": self, "new_game": new_game} | said

    @property
    def qr_code(self) -> Markup:
        """The QR code as an SVG element, black on white in dark mode too: some cameras can't read it inverted."""
        code = segno.make(self.address, error="m", micro=False)
        drawing = code.svg_inline(scale=5, dark="#000", light="#fff", svgclass=None, lineclass=None)
        # segno draws only squares: no text of the address gets into the SVG.
        return QR_CODE + Markup(drawing.removeprefix("<svg "))  # noqa: S704

    @property
    def title(self) -> str:
        host, other = self.page.game.players
        if self.page.is_pending:
            return f"{host} invites {other or 'you'} to tic-tac-toe"
        return f"{host} vs. {other or 'somebody'}: tic-tac-toe"

    @property
    def hint(self) -> str:
        if self.page.is_final:
            return self.page.headline
        if not self.page.is_pending or self.page.locked_out or is_guest(self.page.game.opponent):
            return "Watch the game."
        return f"Log in as {self.page.game.opponent} to play." if self.page.game.opponent else OPEN_SEAT
