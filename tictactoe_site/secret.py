"""The secret key that a server makes for its workers and restarts. Behind a load balancer, servers must share one."""

import fcntl
import os
import secrets
from contextlib import suppress
from functools import partial
from pathlib import Path

from tictactoe_site.config import ConfigError

LENGTH = 50


def local_secret_key(path: Path) -> str:
    """Return the key in the file ``path``. Create the file, with mode 0600, if it's missing. Raises ConfigError."""
    try:
        with suppress(FileNotFoundError):
            if key := path.read_text().strip():
                return _checked(key, path)
        # If several processes start together, the first to get the lock writes the key, and the others read it.
        with open(path, "a+", opener=partial(os.open, mode=0o600)) as file:
            with suppress(OSError):  # Some network file systems have no locks.
                fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            key = file.read().strip()
            if not key:
                key = secrets.token_urlsafe(LENGTH)
                file.write(key)
        return _checked(key, path)
    except UnicodeDecodeError:
        return _checked("", path)
    except OSError as exc:
        what = f"{path}: the server can't keep its own key there ({exc.strerror or exc})"
        raise ConfigError(f"{what}: set [django] secret_key in CONFIG_FILE.") from None


def _checked(key: str, path: Path) -> str:
    if len(key) < LENGTH:
        raise ConfigError(f"{path}: the key is incomplete: remove the file, and the server creates a new one.")
    return key
