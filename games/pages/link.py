"""A link to a game: where it leads, its QR code, and how it looks where it is sent.

A messenger opens it as a visitor, and shows ``title``, and below it ``hint``.
"""

from dataclasses import dataclass
from typing import Any

import segno
from markupsafe import Markup

from games.pages.game import GamePage
from games.signing import new_game

OPEN_SEAT = "Press a square to begin. No account needed."
QR_CODE = Markup('<svg role="img" aria-label="{}" ').format(
    "QR code of the link: point the other phone's camera at it."
)


@dataclass(frozen=True)
class Link:
    """``address`` is the whole one, with the site's host."""

    page: GamePage
    address: str

    def context(self, *, error: str = "", unclaimed: bool = False, still: bool = False) -> dict[str, Any]:
        """Return what the template of a game takes (games/_game.html says what it is), but for the CSRF field."""
        said = {"error": error, "unclaimed": unclaimed, "still": still}
        return {"page": self.page, "link": self, "new_game": new_game} | said

    @property
    def qr_code(self) -> Markup:
        """An SVG element, black on white in dark mode too: not all cameras read it the other way round."""
        code = segno.make(self.address, error="m", micro=False)
        drawing = code.svg_inline(scale=5, dark="#000", light="#fff", svgclass=None, lineclass=None)
        # segno draws squares: of the address's text nothing is in it.
        return QR_CODE + Markup(drawing.removeprefix("<svg "))  # noqa: S704

    @property
    def title(self) -> str:
        host, other = self.page.game.players
        if self.page.is_pending:
            return f"{host} invites {other or 'you'} to tic-tac-toe"
        return f"{host} against {other or 'an open seat'}: tic-tac-toe"

    @property
    def hint(self) -> str:
        if self.page.is_final:
            return self.page.headline
        if not self.page.is_pending:
            return "Watch the game."
        return f"Log in as {self.page.game.opponent} to play." if self.page.game.opponent else OPEN_SEAT
