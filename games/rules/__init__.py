"""The rules of the game: standard library only, no clock, no table.

To build another game, start here (CONTRIBUTING.md): ``board`` has the rules, ``analysis`` searches all continuations,
and ``computer`` plays.
"""

from games.rules.board import EMPTY as EMPTY
from games.rules.board import LINES as LINES
from games.rules.board import SQUARES as SQUARES
from games.rules.board import IllegalMove as IllegalMove
from games.rules.board import Malformed as Malformed
from games.rules.board import Mark as Mark
from games.rules.board import Outcome as Outcome
from games.rules.board import Position as Position
from games.rules.board import outcome as outcome
from games.rules.board import play as play
from games.rules.board import replay as replay
from games.rules.board import square_named as square_named
