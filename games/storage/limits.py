"""Limits on invitations without an answer, sent and received, and on unfinished games against the computer.

To count them is an index query. Most invitations are a player's first, and shouldn't cost three of those. So a process
keeps its own counts, from the lobbies it shows and the invitations it creates, and queries only if its count, with as
many again from another process, comes near the limit. Guests cost nothing to create, so theirs are counted apart.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import NamedTuple

from accounts.names import is_guest
from dynamodb.errors import StoreUnavailable
from games.errors import TooManyInvitations
from games.rules.computer import NAME as COMPUTER
from games.storage import queries

MOST = 20
MOST_TO_ONE = 3
# How many invitations a process may add before it counts them again. The limit is exact for one process. If several
# write at the same moment, each can fill it before the index shows the others' writes: 60 at once in two processes left
# 26. The upper bound is the limit times the number of processes.
UNCOUNTED = 5
REMEMBERED = 10_000


class _Limit(NamedTuple):
    key: tuple[str, ...]
    most: int
    count_up_to: Callable[..., int]
    sentence: str
    named: str = ""  # whom the sentence names


@dataclass(slots=True)
class _Known:
    """The last count, and this process's own invitations: ``begun``, ``made``, and ``included`` in that count."""

    counted: int = 0
    included: int = 0
    made: int = 0
    begun: int = 0

    @property
    def added(self) -> int:
        return self.begun - self.included

    def is_surely_below(self, most: int) -> bool:
        """Whether there's room for one more, even if another process has added as many and adds one more too."""
        return self.added < UNCOUNTED and self.counted + 2 * (self.added + 1) <= most


_known: OrderedDict[tuple[str, ...], _Known] = OrderedDict()
_lock = Lock()


@contextmanager
def one_more(now: datetime, *, host: str, opponent: str | None) -> Iterator[None]:
    """Reserve room for the game that the block creates, or raise TooManyInvitations with a sentence for the host.

    It's counted first, so a burst of requests gains nothing. If the block fails, it's released, unless the failure is a
    StoreUnavailable, after which the invitation may exist. Raises StoreUnavailable.
    """
    taken: list[_Known] = []
    may_exist = False
    try:
        for limit in _limits(host, opponent, now):
            try:
                taken.append(_taken(limit))
            except TooManyInvitations:
                # What strangers sent keeps no friend's invitation out.
                if "to" not in limit.key[0] or not queries.have_played(host, opponent or ""):
                    raise
        yield
        may_exist = True
    except StoreUnavailable:
        may_exist = True  # The write may have succeeded in spite of the outage; the next count will tell.
        raise
    finally:
        with _lock:
            for known in taken:
                known.made += may_exist
                known.begun -= not may_exist


def note(player: str, *, sent: int, received: int, computer: int) -> None:
    """Remember the counts of a lobby just shown, unless this process has added invitations since its own last count."""
    with _lock:
        own = ((("from", player), sent), ((COMPUTER, player), computer))
        for key, counted in (*own, *((key, received) for key in _received(player))):
            known = _of(key)
            if not known.added:
                known.counted = counted


def _limits(host: str, opponent: str | None, now: datetime) -> Iterator[_Limit]:
    if opponent == COMPUTER:
        sentence = f"{MOST} of your games against the computer aren't over: finish or resign one, then start another."
        yield _Limit((COMPUTER, host), MOST, partial(queries.against_computer, host, now), sentence)
        return
    sent = partial(queries.pending, host, now, sent=True)
    sentence = f"{MOST} of your invitations wait for an answer: cancel one of them before you send another."
    yield _Limit(("from", host), MOST, sent, sentence)
    if opponent is None:
        return
    sentence = f"{MOST_TO_ONE} of your invitations to {opponent} wait for an answer: cancel one to send another."
    yield _Limit(("pair", host, opponent), MOST_TO_ONE, partial(sent, other=opponent), sentence, opponent)
    by_guests = is_guest(host)
    received = partial(queries.pending, opponent, now, sent=False, guests=by_guests)
    whose = "guests' invitations" if by_guests else "invitations"
    sentence = f"{MOST} {whose} wait for {opponent} already: try again when some are answered."
    yield _Limit(_received(opponent)[by_guests], MOST, received, sentence, opponent)


def _received(player: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys for a player's received invitations: from named hosts, and from guests."""
    return ("to", player), ("to by guests", player)


def _taken(limit: _Limit) -> _Known:
    """Count one more invitation as begun, and return the counts. Raises TooManyInvitations, StoreUnavailable."""
    with _lock:
        known = _of(limit.key)
        if known.is_surely_below(limit.most):
            known.begun += 1
            return known
        made = known.made
    counted = limit.count_up_to(most=limit.most)
    with _lock:
        # The count may miss what this process hadn't written when it began.
        known.counted, known.included = counted, made
        if counted + known.added >= limit.most:
            raise TooManyInvitations(limit.sentence, limit.named)
        known.begun += 1
        return known


def _of(key: tuple[str, ...]) -> _Known:
    known = _known.setdefault(key, _Known())
    _known.move_to_end(key)
    if len(_known) > REMEMBERED:
        _known.popitem(last=False)
    return known
