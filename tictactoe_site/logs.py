"""The logs of ``web`` and ``live``: one JSON object per line, on stdout. Beanstalk streams it to CloudWatch.

``request_id`` is null outside a request. Each request gets one line from the logger ``tictactoe_site.logs.requests``
(docs/operations.md). Its ``route`` is the URL pattern, without ids and names; null for static files, redirects to HTTPS
and unknown URLs. Its ``player`` is null if nobody is logged in. Commands log plain text for people, on stderr.
"""

import json
import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

# The key of the request id in META. A client's header can't set it: those keys start with HTTP_.
REQUEST_ID = "tictactoe.request_id"

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_requests = logging.getLogger(f"{__name__}.requests")
# nginx's $request_id has 32 hexadecimal digits; other proxies send UUIDs.
_ID = re.compile(r"[0-9A-Za-z-]{8,64}")


class JsonLines(logging.Formatter):
    """A formatter that writes a record as one line of JSON. It escapes line breaks, so clients can't forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        # Django logs a 503 after the block of ``request``, but the record has it.
        environ: dict[str, Any] = getattr(getattr(record, "request", None), "META", {})
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": environ.get(REQUEST_ID) or _request_id.get(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


# gunicorn's logconfig_dict. --log-level sets the level of its own lines.
GUNICORN: dict[str, Any] = {
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["stdout"], "level": "WARNING"},
    "loggers": {
        "gunicorn.error": {"handlers": ["stdout"], "propagate": False},
        **{package: {"level": "INFO"} for package in ("dynamodb", "tictactoe_site", "accounts", "beanstalk", "games")},
    },
}


@contextmanager
def request(given: str) -> Iterator[str]:
    """Log the request's id, ``given`` by nginx or new, with each line of the block and its threads. Yield the id."""
    request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
    token = _request_id.set(request_id)
    try:
        yield request_id
    finally:
        _request_id.reset(token)


def answered(player: str, method: str, route: str | None, status: int, **figures: float) -> None:
    """Write a request's log line, if INFO is enabled. ``player`` is the name, or empty. Only its hash is logged."""
    if _requests.isEnabledFor(logging.INFO):
        fields = {"player": _hashed(player) if player else None, "method": method, "route": route, "status": status}
        _requests.info("%s %s %d", method, route or "-", status, extra={"fields": fields | figures})


@lru_cache(maxsize=10_000)
def _hashed(player: str) -> str:
    """Return the keyed hash of a name. It's the same on all servers with the same secret key."""
    from django.utils.crypto import salted_hmac  # Not at the top: gunicorn's configuration imports this.

    return salted_hmac("tictactoe_site.logs", player, algorithm="sha256").hexdigest()[:12]
