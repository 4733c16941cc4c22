"""What ``web`` and ``live`` log: JSON, one object a line, on stdout, which Beanstalk streams to CloudWatch.

Every line has ``time`` (UTC), ``level``, ``logger``, ``message`` and ``request_id``, which is null outside a request;
an error has its whole ``traceback``. The line that every request gets, of the logger ``tictactoe_site.logs.requests``,
has besides:

- ``player``: a keyed hash, never the name; null where nobody is logged in
- ``method`` and ``route``, the address's pattern without the ids and names in it; null where no page of the site
  answered: a static file, a redirect to HTTPS, nothing there
- ``status``, and ``ms``, how long it took
- ``dynamodb_calls``, ``read_units`` and ``write_units`` (``dynamodb.metering``)

Commands keep lines for people, on stderr.
"""

import json
import logging
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

# The id's name in a request's META, where no header of a client's can have it.
REQUEST_ID = "tictactoe.request_id"

# Whose lines are worth having below a warning.
PACKAGES = ("dynamodb", "tictactoe_site", "accounts", "beanstalk", "games")

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_requests = logging.getLogger(f"{__name__}.requests")
# nginx's $request_id is 32 hexadecimal digits; others write UUIDs.
_ID = re.compile(r"[0-9A-Za-z-]{8,64}")


class JsonLines(logging.Formatter):
    """A record as one line. JSON escapes line breaks, so nothing that a client sends can look like another line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": _id_of(record),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _id_of(record: logging.LogRecord) -> str | None:
    """Django logs an answer such as 503 when the block of its request is over, but has the request with the record."""
    environ: dict[str, Any] = getattr(getattr(record, "request", None), "META", {})
    return environ.get(REQUEST_ID) or _request_id.get()


# gunicorn's own lines (its logconfig_dict). Their level is --log-level's. Django, when it starts, configures the root.
GUNICORN: dict[str, Any] = {
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["stdout"], "level": "WARNING"},
    "loggers": {"gunicorn.error": {"handlers": ["stdout"], "propagate": False}},
}


def write_json() -> None:
    """From now on this process logs as above, instead of for people; the levels of ``settings.LOGGING`` stay."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.getLogger().handlers = [handler]
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)


@contextmanager
def request(given: str) -> Iterator[str]:
    """All that is logged in the block, and in threads that run with its context, has the request's id, which it gives.

    That is the one ``given``, which comes from nginx (.platform/nginx/conf.d/forwarded.conf), or a new one.
    """
    request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
    token = _request_id.set(request_id)
    try:
        yield request_id
    finally:
        _request_id.reset(token)


def answered(player: str, method: str, route: str | None, status: int, **figures: float) -> None:
    """The line of a request, where such lines are written. ``player`` is the name, or empty; it is hashed here."""
    if _requests.isEnabledFor(logging.INFO):
        fields = {"player": _hashed(player) if player else None, "method": method, "route": route, "status": status}
        _requests.info("%s %s %d", method, route or "-", status, extra={"fields": fields | figures})


def _hashed(player: str) -> str:
    """The same for all servers, and another one after the secret key has changed."""
    from django.utils.crypto import salted_hmac  # Here: gunicorn's configuration needs this module, and no Django.

    return salted_hmac("tictactoe_site.logs", player, algorithm="sha256").hexdigest()[:12]
