"""Timeouts, retries with backoff and jitter, and a circuit breaker for all DynamoDB calls.

A request is answered within 5 s, even if DynamoDB is slow, silent or gone. Only this module ensures that:

- A try takes 1.5 s at most: 0.5 s to connect (within a region it takes milliseconds, and TCP resends a lost packet
  only after a second) and 1 s to answer (a hundred times DynamoDB's usual time).
- The pause before a retry is random: 0 to 0.05 s, doubling up to 0.8 s. The full jitter keeps servers that failed
  together from coming back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
- All calls of one request share 4.5 s, and the rest is for the response. A try starts only if it can finish in time.
- After eight tries in a row without any answer, the circuit breaker opens: one try every half second probes whether
  DynamoDB is back, and all other calls fail at once. Otherwise requests would occupy every thread for seconds.

If a reply trickles in, there's no limit: the read timeout starts again with each byte. Retries are safe because every
write is conditional: ``dynamodb.conditional`` offers nothing else.
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
    """The request has no time left for another try. This try wasn't sent."""

    fmt = "This request has run out of time."


class NothingAnswers(BotoCoreError):
    """The circuit breaker is open, so this wasn't sent. ``kwargs["latest"]`` is the error of the latest try."""

    fmt = "DynamoDB isn't answering: {latest}"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Share this time among all calls in the block, and in threads that run with its context."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Leave the block's time out of the calls' time: it goes into other work than DynamoDB's."""
    started = time.monotonic()
    try:
        yield
    finally:
        _deadline.set(_deadline.get() + time.monotonic() - started)


def govern(client: Any) -> None:
    """Make a botocore client use the limits and retries above instead of botocore's own."""
    policy = Policy()
    client.meta.events.register_first("before-send.dynamodb", policy.before_send, unique_id="bounds")
    client.meta.events.register_first("needs-retry.dynamodb", policy.needs_retry, unique_id="bounds-retry")


class Circuit:
    """The circuit breaker. It counts how many tries of this process in a row got no answer."""

    def __init__(self) -> None:
        self._silent = 0
        self._latest: Exception | None = None
        self._went_out = 0.0
        self._lock = Lock()

    def admit(self) -> None:
        """Let a try go out, or raise NothingAnswers if the circuit is open and a probe isn't due."""
        with self._lock:
            now = time.monotonic()
            if self._silent >= SILENT_TRIES and now < self._went_out + PROBE_SECONDS:
                raise NothingAnswers(latest=self._latest)
            self._went_out = now

    def note(self, failure: Exception | None) -> None:
        """Record how a try went: ``failure`` says why it got no answer, and is None if it got one."""
        with self._lock:
            self._silent = self._silent + 1 if failure else 0
            self._latest = failure


class Policy:
    """The handlers of two botocore events: before a try is sent, and whether to retry it."""

    def __init__(self) -> None:
        self._circuit = Circuit()
        self._adapter = RetryEventAdapter()
        # botocore knows which errors to retry: timeouts, lost connections, 5xx, throttling.
        self._conditions = StandardRetryConditions(max_attempts=TRIES)

    def before_send(self, **_: Any) -> None:
        """Raise OutOfTime or NothingAnswers if the try must not be sent. botocore passes them on."""
        if _left() < CONNECT_SECONDS + ANSWER_SECONDS:
            raise OutOfTime
        self._circuit.admit()

    def needs_retry(self, *, attempts: int, caught_exception: Exception | None, **event: Any) -> float | bool:
        """Return the pause before the next try in seconds, or False for no retry. This overrides other handlers."""
        if not isinstance(caught_exception, OutOfTime | NothingAnswers):
            answered = not isinstance(caught_exception, NoConnection | HTTPClientError)
            self._circuit.note(None if answered or isinstance(caught_exception, DamagedReply) else caught_exception)
        context = self._adapter.create_retry_context(attempts=attempts, caught_exception=caught_exception, **event)
        if not self._conditions.is_retryable(context):
            return False
        pause = random.uniform(0, min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempts - 1)))
        return pause if _left() >= pause + CONNECT_SECONDS + ANSWER_SECONDS else False


def _left() -> float:
    return _deadline.get() - time.monotonic()
