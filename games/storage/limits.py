"""Nobody sends, or is sent, more than so many invitations that nobody has answered yet.

Counting them is a query of an index, and most invitations are a player's first: they shall not cost three queries more.
So each process remembers how many it knows of, from the lobbies it shows and from the invitations it makes, and
counts in the index only where that, and as many that another process may have made, comes near the limit.

Guests cost nothing to become, so what they send keeps only guests from sending: named hosts are measured against the
invitations of named hosts.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import NamedTuple

from accounts.names import is_guest
from dynamodb.errors import StoreUnavailable
from games.errors import TooManyInvitations
from games.storage import queries

MOST = 20
MOST_TO_ONE = 3
# How many invitations a process may add before it counts them again. The limit is exact for one process. Several that
# write at the same moment can each fill it before the index shows the others' writes: 60 at once, in two processes,
# left 26. The bound is the limit for each process.
UNCOUNTED = 5
REMEMBERED = 10_000


class _Limit(NamedTuple):
    key: tuple[str, ...]
    most: int
    count_them: Callable[[], int]
    sentence: str


@dataclass(slots=True)
class _Known:
    """``counted`` at some time, when ``included`` of this process's own were ``made`` already, of all it ``began``."""

    counted: int = 0
    included: int = 0
    made: int = 0
    begun: int = 0

    @property
    def added(self) -> int:
        return self.begun - self.included

    def is_surely_below(self, most: int) -> bool:
        """Whether there is room for one more, even if another process has added as many, and adds one more too."""
        return self.added < UNCOUNTED and self.counted + 2 * (self.added + 1) <= most


_known: OrderedDict[tuple[str, ...], _Known] = OrderedDict()
_lock = Lock()


@contextmanager
def one_more(now: datetime, *, host: str, opponent: str | None) -> Iterator[None]:
    """The block makes an invitation. Raises TooManyInvitations, with a sentence for the host, or StoreUnavailable.

    It is counted before the block, so that many at once gain nothing, and taken back if the block fails.
    """
    with ExitStack() as taken:
        for limit in _limits(host, opponent, now):
            taken.enter_context(_slot(limit))
        yield


def note(player: str, *, sent: int, received: int) -> None:
    """A lobby was shown, which has so many. It may be older than what this process has sent since it counted."""
    with _lock:
        for key, counted in ((("from", player), sent), *((key, received) for key in _received(player))):
            known = _of(key)
            if not known.added:
                known.counted = counted


def _limits(host: str, opponent: str | None, now: datetime) -> Iterator[_Limit]:
    count = partial(queries.pending, host, now, sent=True, most=MOST)
    yield _Limit(
        ("from", host),
        MOST,
        count,
        f"{MOST} of your invitations wait for an answer: cancel one of them before you send another.",
    )
    if opponent is None:
        return
    sentence = (
        f"{MOST_TO_ONE} of your invitations to {opponent} wait for an answer: cancel one before you send another."
    )
    yield _Limit(("pair", host, opponent), MOST_TO_ONE, partial(count, most=MOST_TO_ONE, other=opponent), sentence)
    guests = is_guest(host)
    whose = "guests' invitations" if guests else "invitations"
    yield _Limit(
        _received(opponent)[guests],
        MOST,
        partial(queries.pending, opponent, now, sent=False, most=MOST, guests=guests),
        f"{MOST} {whose} wait for {opponent} already: try again when some are answered.",
    )


def _received(player: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys of what named hosts have sent to a player, and of what guests have."""
    return ("to", player), ("to by guests", player)


@contextmanager
def _slot(limit: _Limit) -> Iterator[None]:
    known = _taken(limit)
    try:
        yield
    except Exception as exc:
        with _lock:
            # What an outage cut off may have been made all the same: the next count tells.
            known.made += isinstance(exc, StoreUnavailable)
            known.begun -= not isinstance(exc, StoreUnavailable)
        raise
    with _lock:
        known.made += 1


def _taken(limit: _Limit) -> _Known:
    """What is known, with one more begun. Raises TooManyInvitations, StoreUnavailable."""
    with _lock:
        known = _of(limit.key)
        if known.is_surely_below(limit.most):
            known.begun += 1
            return known
        made = known.made
    counted = limit.count_them()
    with _lock:
        # What was not made when the count began may not be in it.
        known.counted, known.included = counted, made
        if counted + known.added >= limit.most:
            raise TooManyInvitations(limit.sentence)
        known.begun += 1
        return known


def _of(key: tuple[str, ...]) -> _Known:
    known = _known.setdefault(key, _Known())
    _known.move_to_end(key)
    if len(_known) > REMEMBERED:
        _known.popitem(last=False)
    return known
