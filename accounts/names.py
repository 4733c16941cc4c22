"""The rules for names of players and guests. Standard library only."""

import re
import secrets
from unicodedata import normalize

GUEST_PREFIX = "guest-"
RESERVED = frozenset(
    {"computer", "guest", "admin", "administrator", "root", "system", "support", "tie", "nobody", "anonymous"}
)
SENTENCE = "A name is 3 to 20 of a-z, 0-9, _ and -, starting with a letter or digit."

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{2,19}")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class NameNotAllowed(ValueError):
    """The text can't be used as a name. The message is one sentence for the person who typed it."""


def normalised(text: str) -> str:
    """Return the name as we store it: in narrow letters, casefolded and stripped. Raises NameNotAllowed."""
    name = normalize("NFKC", text).strip().casefold()
    if not _NAME.fullmatch(name):
        raise NameNotAllowed(SENTENCE)
    return name


def is_name(text: str) -> bool:
    """Whether the text is a valid name exactly as it is, without normalising it."""
    return bool(_NAME.fullmatch(text))


def printable(text: str) -> str:
    """Return the text with escapes for what a terminal would obey: line breaks, escape sequences, reversed text."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def has_page(text: str | None) -> bool:
    """Whether this player can have a page. Guests can't, nor can invalid names, which the AWS example accepted."""
    return text is not None and is_name(text) and not is_guest(text)


def claimable(text: str) -> str:
    """Return the normalised name for a login or sign-up. Raises NameNotAllowed, also for reserved names."""
    name = normalised(text)
    if name in RESERVED or is_guest(name):
        raise NameNotAllowed(f"The name {name} is reserved: choose another.")
    return name


def invitable(text: str) -> str:
    """Return the normalised name of a player or guest to invite. Raises NameNotAllowed."""
    name = normalised(text)
    return name if is_guest(name) else claimable(name)


def is_guest(name: str | None) -> bool:
    return name is not None and name.startswith(GUEST_PREFIX)


def new_guest() -> str:
    return GUEST_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(6))
