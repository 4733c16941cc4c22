"""The rules for names of players and guests. Standard library only."""

import re
import secrets
from unicodedata import normalize
from zlib import crc32

GUEST_PREFIX = "guest-"
DELETED_PREFIX = "deleted-"
# No player has had one of these names.
RESERVED = {"computer", "guest", "admin", "administrator", "root", "system", "support", "tie", "nobody", "anonymous"}
# Nobody can choose one of these any more, also with digits behind it: others would take the player for somebody else.
MISLEADING = RESERVED | {"deleted", "everybody", "help", "moderator", "new", "none", "null", "official", "open"}
MISLEADING |= {"operator", "postmaster", "security", "somebody", "staff", "webmaster", "you"}

# The most characters that we look at: a long text can take minutes to normalise.
LONGEST = 100

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{2,19}")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
# Guests had six letters at first.
_GUEST = re.compile(rf"{GUEST_PREFIX}([{_ALPHABET}]{{6}}|[{_ALPHABET}]{{12}})")
_GUEST_IN_TEXT = re.compile(rf"(?<![\w-]){_GUEST.pattern}(?![\w-])")

# Two words that people can say and remember, for a guest: 64 by 64.
_HOW = (
    "Amber Ample Azure Brave Brief Bright Brisk Broad Calm Civil Clean Clear Clever Cosy Crisp Daring Deft Eager "
    "Early Fair Fancy Fine Fleet Fond Frank Fresh Gentle Glad Golden Grand Green Happy Hardy Honest Humble Jolly "
    "Keen Kind Lively Loyal Lucky Mellow Merry Mild Misty Modest Neat Nimble Noble Patient Placid Polite Proud "
    "Quick Quiet Rapid Royal Sunny Sure Swift Tidy Vivid Warm Witty"
)
_WHO = (
    "Badger Bear Beaver Bison Camel Cat Cheetah Crane Crow Deer Dolphin Dove Duck Eagle Egret Falcon Ferret Finch "
    "Fox Gecko Goose Gull Hare Hawk Heron Horse Ibex Jackal Jaguar Koala Lark Lemur Lion Llama Lynx Magpie Marten "
    "Mole Moose Newt Otter Owl Panda Parrot Pelican Penguin Pigeon Pony Puffin Puma Quail Rabbit Raven Robin Salmon "
    "Seal Shrew Sparrow Squirrel Stork Swan Tiger Turtle Whale"
)


class NameNotAllowed(ValueError):
    """The text can't be used as a name. The message is one sentence for the person who typed it."""


def normalised(text: str) -> str:
    """Return the name as we store it: in narrow letters, casefolded and stripped. Raises NameNotAllowed."""
    name = normalize("NFKC", text[:LONGEST]).strip().casefold()
    if len(text) > LONGEST or not _NAME.fullmatch(name):
        raise NameNotAllowed("Use 3 to 20 letters, digits, _ or -, starting with a letter or digit.")
    return name


def is_name(text: str) -> bool:
    """Whether the text is a valid name exactly as it is, without normalising it."""
    return bool(_NAME.fullmatch(text))


def printable(text: str) -> str:
    """Return the text with escapes for what a terminal would obey: line breaks, escape sequences, reversed text."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def has_page(text: str | None) -> bool:
    """Whether this player can have a page. Guests can't, nor can invalid names, which the AWS example accepted."""
    return text is not None and is_name(text) and not is_guest(text) and not is_deleted(text)


def possible(text: str) -> str:
    """Return the normalised name that a player may have. Raises NameNotAllowed, also for reserved names."""
    name = normalised(text)
    if name in RESERVED or not has_page(name):
        raise NameNotAllowed(f"The name {name} is reserved: choose another.")
    return name


def claimable(text: str) -> str:
    """Return the normalised name for a new player. Raises NameNotAllowed, also for reserved and misleading names."""
    name = possible(text)
    if name.rstrip("0123456789_-") in MISLEADING:
        raise NameNotAllowed(f"The name {name} is reserved: choose another.")
    return name


def invitable(text: str) -> str:
    """Return the normalised name of a player or guest to invite. Raises NameNotAllowed."""
    name = normalised(text)
    if is_guest(name) and not _GUEST.fullmatch(name):
        raise NameNotAllowed(f"No guest is called {name}: ask them for a link.")
    return name if is_guest(name) else possible(name)


def is_guest(name: str | None) -> bool:
    return name is not None and name.startswith(GUEST_PREFIX)


def called(text: str) -> str:
    """Return the text with two words and "(guest)" for each guest's name, in spaces where no line breaks.

    Only the words can be the same for two guests: what is stored and compared is the name.
    """
    return _GUEST_IN_TEXT.sub(_two_words, text)


def _two_words(guest: re.Match[str]) -> str:
    drawn = crc32(guest[0].encode())
    return f"{_HOW.split()[drawn % 64]}\N{NO-BREAK SPACE}{_WHO.split()[drawn // 64 % 64]}\N{NO-BREAK SPACE}(guest)"


def is_deleted(name: str | None) -> bool:
    """Whether this stands for a player whose account has ended."""
    return name is not None and name.startswith(DELETED_PREFIX)


def new_guest() -> str:
    """Return a guest's name with 60 random bits, so that no two guests ever get the same."""
    return GUEST_PREFIX + _random(12)


def deleted() -> str:
    """Return a name for the games of a player whose account has ended."""
    return DELETED_PREFIX + _random(8)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
