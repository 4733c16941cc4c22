"""Nobody sends, or is sent, more than so many invitations that nobody has answered yet.

Counting them is a query of an index, and most invitations are a player's first: they shall not cost two queries more.
So each process remembers how many it knows of, from the lobbies it shows and from the invitations it makes, and
counts in the index only where that, and as many that another process may have made, comes near the limit.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from games import queries
from games.errors import TooManyInvitations

MOST = 20
# What a process adds to what it knows before it counts. Two processes of one server together stay below MOST.
UNCOUNTED = 5
REMEMBERED = 10_000

# By direction and name: how many were known when they were last counted, and how many were added since.
_known: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
_lock = Lock()


def check(*, host: str, opponent: str | None) -> None:
    """Raises TooManyInvitations, with a sentence for the host, or StoreUnavailable."""
    if _is_full("from", host):
        raise TooManyInvitations(
            f"{MOST} of your invitations wait for an answer: cancel one of them before you send another."
        )
    if opponent and _is_full("to", opponent):
        raise TooManyInvitations(f"{MOST} invitations wait for {opponent} already: try again when some are answered.")


def sent(*, host: str, opponent: str | None) -> None:
    """An invitation was made."""
    _add("from", host)
    if opponent:
        _add("to", opponent)


def seen(player: str, *, sent: int, received: int) -> None:
    """A lobby was shown, which has so many."""
    _remember(("from", player), sent, 0)
    _remember(("to", player), received, 0)


def _is_full(direction: str, player: str) -> bool:
    if _is_surely_below(*_known.get((direction, player), (0, 0))):
        return False
    pending = queries.pending(player, sent=direction == "from", most=MOST)
    _remember((direction, player), pending, 0)
    return pending >= MOST


def _is_surely_below(known: int, added: int) -> bool:
    """Whether there is room for one more, even if another process has added as many, and adds one more too."""
    return added < UNCOUNTED and known + 2 * (added + 1) <= MOST


def _add(direction: str, player: str) -> None:
    known, added = _known.get((direction, player), (0, 0))
    _remember((direction, player), known, added + 1)


def _remember(key: tuple[str, str], known: int, added: int) -> None:
    with _lock:
        _known[key] = (known, added)
        _known.move_to_end(key)
        if len(_known) > REMEMBERED:
            _known.popitem(last=False)
