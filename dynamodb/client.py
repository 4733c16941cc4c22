"""The botocore client that all models share: built once, before threads need it, with our timeouts and checks."""

import os
import time
from contextlib import suppress
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError
from botocore.session import Session

from dynamodb import metering, replies, retries
from dynamodb.endpoints import is_this_machine
from dynamodb.errors import StoreUnavailable
from dynamodb.items import TableItem, kinds
from dynamodb.reasons import unavailable

LOOK_AGAIN_SECONDS = 1


def shared_client() -> Any:
    """Return the one client of all models, also for calls that PynamoDB lacks: with our limits, checks and metering."""
    connection = TableItem._get_connection().connection
    if connection._client is None:
        connection._local.session = _session()
        shared: Any = connection.client
        retries.govern(shared)
        replies.check(shared)
        metering.meter(shared)
        # botocore would build this header anew, twice for each call.
        shared.meta.config._supplied_user_agent = shared._user_agent_creator.to_string()
        for model in kinds():
            model._get_connection().connection._client = shared
    return connection._client


def warm_up() -> None:
    """Build the client now. Otherwise each thread builds it at the start, in seconds. Raises StoreUnavailable."""
    with unavailable():
        shared_client()


def keep_warm() -> None:
    """Call ``warm_up``. Do nothing if no client can be built yet: ``startup`` reports why."""
    with suppress(StoreUnavailable):
        warm_up()


def _session() -> Any:
    meta = TableItem.Meta
    key = (meta.aws_access_key_id, meta.aws_secret_access_key)
    session: Any = _isolated() if all(key) and is_this_machine(meta.host) else Session()
    if all(key):
        session.set_credentials(*key)
    else:
        session._credentials = FoundCredentials(session)
    return session


def _isolated() -> Session:
    """Return a session for an engine on this machine: without AWS's environment and files, and without proxies."""
    variables = {}
    for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        if name != "ca_bundle":
            value = os.devnull if str(default).startswith("~") else default
            variables[name] = (None, None, value, convert)
    session = Session(session_vars=variables)
    session.set_default_client_config(Config(proxies={}))
    return session


class FoundCredentials(Credentials):
    """The credentials that botocore finds, once they are needed. One thread looks, and the others share its result.

    A silent metadata service takes seconds. Without this, many requests would ask it one after the other, and PynamoDB
    would build a client without our time limits for each.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = Lock()
        self._found: Credentials | Exception = NoCredentialsError()
        self._look_at = 0.0

    def get_frozen_credentials(self) -> Any:
        with self._lock:
            if isinstance(self._found, Exception) and time.monotonic() >= self._look_at:
                try:
                    provider: Any = self._session.get_component("credential_provider")
                    self._found = provider.load_credentials() or NoCredentialsError()
                except Exception as exc:  # raised again in each thread that waits for it
                    self._found = exc
                self._look_at = time.monotonic() + LOOK_AGAIN_SECONDS
        if isinstance(self._found, Exception):
            raise self._found
        return self._found.get_frozen_credentials()

    @property
    def account_id(self) -> Any:  # for AWS's endpoint of the account
        return self.get_frozen_credentials().account_id
