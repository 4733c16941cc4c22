"""Checks of the configuration in a bundle: what must not be on a server, and secrets that are none."""

from collections.abc import Iterator
from pathlib import Path

from dynamodb.endpoints import is_this_machine, region_of
from tictactoe_site import config

# Words from samples and tutorials. All are too long to appear in a random key by chance.
DUMMY_WORDS = ("example", "change", "replace", "placeholder", "insecure", "secret", "password")
FEWEST_CHARACTERS = 8
UUID_COMMAND = 'python3 -c "import uuid; print(uuid.uuid4())"'


def read(data: bytes, name: str) -> config.Config:
    """Return the configuration in the file's ``data``, and ignore the environment. Raises ConfigError."""
    return config.from_bytes(data, Path(name), environ={})


def problems(data: bytes, name: str) -> Iterator[str]:
    """Yield one sentence for each thing in the file that must not be on a server, or one if it can't be read."""
    try:
        chosen = read(data, name)
    except config.ConfigError as exc:
        yield str(exc)
        return
    for key, secrets in (("secret_key", [chosen.secret_key]), ("secret_key_fallbacks", chosen.secret_key_fallbacks)):
        for secret in secrets:
            if secret and is_dummy(secret):
                yield f"{name}: [django] {key} is a placeholder, not a secret: use the output of {UUID_COMMAND}"
    if chosen.access_key_id not in (None, config.PLACEHOLDER):
        what = "access_key_id would give your credentials to everybody who has the zip: remove it and secret_access_key"
        yield f"{name}: [dynamodb] {what}, because an instance gets credentials from its role."
    if region_of(chosen.endpoint) and (chosen.endpoint or "").startswith("http://"):
        yield f"{name}: [dynamodb] endpoint is {chosen.endpoint}, which isn't encrypted: remove http://."
    if is_this_machine(chosen.endpoint):
        yield f"{name}: [dynamodb] endpoint is {chosen.endpoint}, but instances run no DynamoDB: remove the line."


def is_dummy(secret: str) -> bool:
    """Whether a secret is a placeholder: it has a sample's word, too few different characters, or repeats itself."""
    lower = secret.lower()
    repeated = any(lower[step:] == lower[:-step] for step in range(1, len(lower) // 2 + 1))
    few = len(set(lower) - {"-"}) < FEWEST_CHARACTERS
    return few or repeated or any(word in lower for word in DUMMY_WORDS)
