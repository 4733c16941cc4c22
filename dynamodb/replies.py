"""A check for replies that were damaged on the way from DynamoDB, or aren't DynamoDB's. Such a call is retried.

botocore accepts a body that is shorter than its Content-Length and, after the last try, one with a wrong checksum. An
item would then seem to be missing, or a write that never happened would seem to have succeeded.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import HTTPClientError


class DamagedReply(HTTPClientError):
    """The reply was damaged, but the request may have succeeded. botocore treats this like a failed connection."""

    fmt = "The reply arrived damaged."


class NotDynamoDB(HTTPClientError):
    """Something else answered, such as a proxy or a captive portal. ``kwargs["status"]`` is the reply's HTTP status."""

    fmt = "Something else than DynamoDB answered ({status})."


def check(client: Any) -> None:
    """Make a botocore client check each reply. It retries a damaged one, and raises DamagedReply after the last try."""
    client._endpoint.http_session = CheckedSession(client._endpoint.http_session)


class CheckedSession:
    """botocore's HTTP session, with a check of each reply."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.close = session.close

    def send(self, request: Any) -> Any:
        """Send the request. Raises the session's own errors, DamagedReply and NotDynamoDB."""
        reply = self._session.send(request)
        # For a 5xx the status is enough, and a proxy on the way may have written the body.
        if reply.status_code < 500:
            # DynamoDB gives each reply an id, and each error a type.
            if "x-amzn-requestid" not in reply.headers and b'"__type"' not in reply.content:
                raise NotDynamoDB(status=reply.status_code)
            if not is_intact(reply.headers, reply.content):
                raise DamagedReply
        return reply


def is_intact(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the body matches DynamoDB's checksum or, if there's no checksum, is a JSON object."""
    checksum = headers.get("x-amz-crc32")
    if checksum is not None:
        return checksum == str(zlib.crc32(body))
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
