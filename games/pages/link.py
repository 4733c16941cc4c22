"""How a link to a game looks where it is sent: a messenger opens it as a visitor, and shows this."""

from dataclasses import dataclass

from games.pages.game import GamePage

OPEN_SEAT = "Press a square to begin. No account needed."


@dataclass(frozen=True)
class LinkPreview:
    """``title``, and below it a ``hint``."""

    page: GamePage

    @property
    def title(self) -> str:
        host, other = self.page.game.host, self.page.game.opponent
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
