"""How long a request waits for DynamoDB: each try, the pauses between tries, and when to stop asking.

The promise is that the site answers within 5 s, also while DynamoDB is slow, silent or gone, and it is kept here alone:

- A try takes 1.5 s at most: 0.5 s to connect (within a region it takes milliseconds, and a lost packet is sent again
  only after a second) and 1 s to answer (a hundred times what DynamoDB usually takes).
- A failed try is repeated after a pause of 0 to 0.05 s, then 0 to 0.1 s, doubling up to 0.8 s. The whole range is
  random, so that servers which failed together do not come back together
  (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
- All calls of one request share 4.5 s. A try starts only where it can end in time; half a second
  remains for the answer.
- Where nothing at all answers, eight tries in a row show it, and from then on one try each half second looks whether
  DynamoDB is back; whoever else asks is told at once. Without this, requests would fill every thread, each for
  seconds, and health checks would wait behind them.

A reply that comes byte by byte is not bounded: each byte is waited for anew. Repeating is safe because every write
states what it assumes: ``dynamodb.conditional`` offers no other.
"""

import math
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.retries.standard import RetryEventAdapter, StandardRetryConditions

from dynamodb.replies import DamagedReply

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
TRIES = 6
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.8
REQUEST_SECONDS = 4.5
SILENT_TRIES = 8
PROBE_SECONDS = 0.5

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


class OutOfTime(BotoCoreError):
    """The time of the whole request is used up. Nothing was sent."""

    fmt = "The time for this request is used up."


class NothingAnswers(BotoCoreError):
    """No try was answered for a while, and the next that may look is another's. Nothing was sent.

    ``kwargs["latest"]`` is what became of the latest try.
    """

    fmt = "Nothing answers: {latest}"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All calls in the block, and in threads that run with its context, share this time."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def govern(client: Any) -> None:
    """Make a botocore client keep the bounds above, instead of botocore's own."""
    policy = Policy()
    client.meta.events.register_first("before-send.dynamodb", policy.before_send, unique_id="bounds")
    client.meta.events.register_first("needs-retry.dynamodb", policy.needs_retry, unique_id="bounds-retry")


class Circuit:
    """Knows whether DynamoDB answers at all, from how the latest tries of this process went."""

    def __init__(self) -> None:
        self._silent = 0
        self._latest: Exception | None = None
        self._went_out = 0.0
        self._lock = Lock()

    def admit(self) -> None:
        """Let the next try go out, or raise NothingAnswers."""
        with self._lock:
            now = time.monotonic()
            if self._silent >= SILENT_TRIES and now < self._went_out + PROBE_SECONDS:
                raise NothingAnswers(latest=self._latest)
            self._went_out = now

    def note(self, failure: Exception | None) -> None:
        """How a try went: what kept it from being answered, or None."""
        with self._lock:
            self._silent = self._silent + 1 if failure else 0
            self._latest = failure


class Policy:
    """botocore's two questions about a try: may it go out, and is it to be repeated."""

    def __init__(self) -> None:
        self._circuit = Circuit()
        self._adapter = RetryEventAdapter()
        # What is worth repeating (timeouts, lost connections, 5xx, throttling) is botocore's knowledge.
        self._conditions = StandardRetryConditions(max_attempts=TRIES)

    def before_send(self, **_: Any) -> None:
        """Raises OutOfTime or NothingAnswers, which botocore passes on."""
        if _left() < CONNECT_SECONDS + ANSWER_SECONDS:
            raise OutOfTime
        self._circuit.admit()

    def needs_retry(self, *, attempts: int, caught_exception: Exception | None, **event: Any) -> float | bool:
        """The pause before the next try in seconds, or False where this was the last, whatever other handlers say."""
        if not isinstance(caught_exception, OutOfTime | NothingAnswers):
            self._circuit.note(caught_exception if _is_silence(caught_exception) else None)
        context = self._adapter.create_retry_context(attempts=attempts, caught_exception=caught_exception, **event)
        if not self._conditions.is_retryable(context):
            return False
        pause = random.uniform(0, min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempts - 1)))
        return pause if _left() >= pause + CONNECT_SECONDS + ANSWER_SECONDS else False


def _is_silence(failure: Exception | None) -> bool:
    return isinstance(failure, NoConnection | HTTPClientError) and not isinstance(failure, DamagedReply)


def _left() -> float:
    return _deadline.get() - time.monotonic()
