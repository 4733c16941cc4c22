"""The key that one server makes for itself where the configuration has none.

All of the server's workers and restarts use it. Behind a load balancer each server would make a different one, so
there the configuration must have a secret_key.
"""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from tictactoe_site.config import ConfigError


def local_secret_key(path: Path) -> str:
    """The key in the file ``path``, made with mode 0600 if it isn't there. Raises ConfigError."""
    try:
        with contextlib.suppress(FileNotFoundError):
            return _read(path)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as fresh:
            fresh.write(throwaway_key())
            fresh.flush()
            # A link either makes the whole file appear or fails: of processes that start together, one wins.
            with contextlib.suppress(FileExistsError):
                os.link(fresh.name, path)
        return _read(path)
    except OSError as exc:
        reason = exc.strerror or exc
        raise ConfigError(
            f"{path}: the server's own key can't be kept there ({reason}): set [django] secret_key in CONFIG_FILE."
        ) from None


def throwaway_key() -> str:
    """A key for this process alone: enough to show the setup page, which keeps nothing."""
    return secrets.token_urlsafe(50)


def _read(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < 50:
        raise ConfigError(f"{path}: this is not a whole key: remove the file, and a new one is made.")
    return key
