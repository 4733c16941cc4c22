"""Replies that were cut or garbled on their way from DynamoDB are not believed, but asked for again.

botocore takes a body that is shorter than announced, and after the last try one with a wrong checksum: an item would
seem not to be there, and a write that was never made would seem done.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import HTTPClientError


class DamagedReply(HTTPClientError):
    """This is not what DynamoDB sent. What was asked for may be done; to botocore it is a connection that failed."""

    fmt = "The reply was damaged on its way."


def check(client: Any) -> None:
    """Make a botocore client raise DamagedReply, or try again, where it would take such a reply."""
    client._endpoint.http_session = CheckedSession(client._endpoint.http_session)


def are_checked(client: Any) -> bool:
    return isinstance(client._endpoint.http_session, CheckedSession)


class CheckedSession:
    """botocore's HTTP session, which looks at what it received."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        """Raises what the session raises, and DamagedReply."""
        reply = self._session.send(request)
        # Of a 5xx the status is enough, and whatever stands in the way may have written it.
        if reply.status_code < 500 and not is_intact(reply.headers, reply.content):
            raise DamagedReply
        return reply

    def close(self) -> None:
        self._session.close()


def is_intact(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the body has the checksum that DynamoDB gave it; where it gave none, whether it is a JSON object."""
    checksum = headers.get("x-amz-crc32")
    if checksum is not None:
        return checksum == str(zlib.crc32(body))
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
