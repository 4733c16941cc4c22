"""The secret key that a server generates for itself if the configuration has none.

All workers share it, and it survives restarts. Behind a load balancer each server would generate a different one, so
the configuration must have a secret_key there.
"""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from tictactoe_site.config import ConfigError


def local_secret_key(path: Path) -> str:
    """Return the key in the file ``path``. Create the file, with mode 0600, if it's missing. Raises ConfigError."""
    try:
        with contextlib.suppress(FileNotFoundError):
            return _read(path)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as fresh:
            fresh.write(secrets.token_urlsafe(50))
            fresh.flush()
            # os.link is atomic: if several processes start together, one of them creates the whole file.
            with contextlib.suppress(FileExistsError):
                os.link(fresh.name, path)
        return _read(path)
    except OSError as exc:
        reason = exc.strerror or exc
        raise ConfigError(
            f"{path}: the server can't keep its own key there ({reason}): set [django] secret_key in CONFIG_FILE."
        ) from None


def _read(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < 50:
        raise ConfigError(f"{path}: the key is incomplete: remove the file, and the server creates a new one.")
    return key
