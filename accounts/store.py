"""The only module that writes players, by one conditional write a function. All of them may raise StoreUnavailable."""

import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import category, normalize

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from accounts import generations, hashers, names, throttle
from accounts.models import Player
from dynamodb import conditional
from dynamodb.conditional import ConditionFailed
from dynamodb.errors import StoreUnavailable
from dynamodb.reasons import unavailable
from tictactoe_site.http import Refusal

NAME_LIMIT = 10
ADDRESS_LIMIT = 50
BROWSER_LIMIT = 10
SIGNUP_LIMIT = 100
MOST_BLOCKED = 100
# How long nobody can choose a name that was given up: as long as a session lives that may still have it. People who
# knew the former player should have noticed by then.
RESERVED_FOR = timedelta(days=60)


class NameTaken(Refusal):
    """Somebody else already has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The name {name} is taken: log in if it is yours, or choose another.", 409)


class NoSuchPlayer(Exception):
    """Nobody has an account with this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Nobody has an account with the name {names.printable(name)}.")


def claim(name: str, password: str, *, address: str) -> None:
    """Create the player ``name`` with this password. Raises Refusal: NameTaken, Busy, too many attempts."""
    with hashers.anybody.reserved() as hasher:
        player = _player(name)
        if player and (player.password or (player.expires_at or 0) > _now()):  # before the expensive hash
            raise NameTaken(name)
        throttle.count(f"signup#address#{address}", SIGNUP_LIMIT)
        player = _new(name, password=hasher.hash(opaque(password)), joined=datetime.now(UTC).isoformat())
        # Hashes are salted, so an equal hash in the table is our own: this was done before.
        _put(name, player, _is_free() | (Player.password == player.password))


def _new(name: str, **values: Any) -> Player:
    return Player(Player.key(name), generation=secrets.token_urlsafe(9), **values)


def _is_free() -> Condition:
    # Nobody has the name, and nobody had it lately; TTL may delete an item days late.
    free: Condition = Player.password.does_not_exist() & ~(Player.expires_at > _now())
    return free


def _put(name: str, player: Player, condition: Condition) -> None:
    """Store a new player. Raises NameTaken."""
    try:
        conditional.put(player, condition)
    except ConditionFailed as exc:
        raise NameTaken(name) from exc
    generations.note(name, player)


def opaque(password: str) -> str:
    """Return the password in the form that all keyboards share (RFC 8265, section 4.2: OpaqueString)."""
    return normalize("NFC", "".join(" " if category(each) == "Zs" else each for each in password))


def is_claimed(name: str) -> bool:
    """Whether a player has this name."""
    return bool((_player(name) or Player()).password)


def details(name: str) -> Player:
    """Return the player's item. Raises NoSuchPlayer."""
    player = _player(name)
    if player is None or not player.password:
        raise NoSuchPlayer(name)
    return player


def verify(name: str, password: str, *, address: str, browser: str = "") -> bool | None:
    """Whether the password is right, or None if nobody has the name, which takes as long and counts as much.

    Wrong passwords are limited to 10 per name and 50 per address in each 15-minute window, over all servers. Those from
    the browser with the id ``browser``, which has logged in to this name before, are counted apart, so that a stranger
    who guesses doesn't lock it out. An attempt counts before it's checked, so parallel ones can't exceed the limit; if
    the password was right, that is undone. Raises Refusal: Busy, too many attempts.
    """
    # The address first: a blocked address must not use up the attempts of other people's names.
    limits = {f"browser#{browser}": BROWSER_LIMIT}
    if not browser:
        limits = {f"address#{address}": ADDRESS_LIMIT, f"name#{name}": NAME_LIMIT}
    with (hashers.known_browsers if browser else hashers.anybody).reserved() as hasher:
        player = _player(name)
        if player:
            generations.note(name, player)
        return _checked(hasher, player.password if player else None, password, limits)


def _checked(hasher: hashers.Hasher, stored: str | None, password: str, limits: dict[str, int]) -> bool | None:
    keys = [throttle.count(f"login#{what}", limit) for what, limit in limits.items()]
    if not stored:
        hasher.hash(password)
        return None
    right = None
    try:
        # Older passwords are hashed as they were typed.
        right = hasher.matches(dict.fromkeys((opaque(password), password)), stored)
    finally:
        # Unless it's wrong, take back the count, the name's first: its limit is lower.
        for key in reversed(keys if right is not False else ()):
            with suppress(StoreUnavailable):  # The log-in still succeeds.
                throttle.take_back(key)
    return right


def in_session(generation: str | None) -> Condition:
    """Whether a session with this generation goes on. If not, the password that its player typed may be an old one."""
    holds: Condition = Player.generation.does_not_exist() if generation is None else Player.generation == generation
    return holds


def set_password(name: str, password: str, *, assuming: Condition | None = None) -> None:
    """Give the player another password, and end all sessions. Raises Busy; NoSuchPlayer unless ``assuming`` holds."""
    with hashers.known_browsers.reserved() as hasher:
        hashed = hasher.hash(opaque(password))
    known = Player.password.exists()
    # Condition: the player exists, and what the caller assumes. An equal hash is our own, as in claim.
    condition = (known if assuming is None else known & assuming) | (Player.password == hashed)
    _change(name, [Player.password.set(hashed), _fresh()], condition)


def end_sessions(name: str) -> None:
    """End all of the player's sessions. Raises NoSuchPlayer."""
    _change(name, [_fresh()])


def block(name: str, other: str) -> None:
    """Hide from the player what ``other`` sends. Raises NoSuchPlayer, and Refusal if too many are blocked."""
    # Condition: the player exists, and has room: the item, which is read all the time, shouldn't grow for ever.
    blocked = Player.blocked
    has_room = blocked.does_not_exist() | blocked.contains(other) | (size(blocked) < MOST_BLOCKED)
    try:
        _update(name, [blocked.add({other})], Player.password.exists() & has_room)
    except ConditionFailed as exc:
        if not (exc.item and Player.from_raw_data(exc.item).password):
            raise NoSuchPlayer(name) from exc
        sentence = f"You have blocked {MOST_BLOCKED} players: unblock one of them before you block another."
        raise Refusal(sentence, 409) from exc


def unblock(name: str, other: str) -> None:
    """Undo ``block``. Raises NoSuchPlayer."""
    _change(name, [Player.blocked.delete({other})])


def move(name: str, to: str) -> None:
    """Give the account of ``name``, if any, another name, and reserve the old one. Repeatable. Raises NameTaken."""
    player = _player(name) or Player()
    if not player.becomes:
        former = _stamp(name, player)
        copy = _new(to, password=player.password, joined=player.joined, blocked=player.blocked, former=former)
        # Condition: nobody has the name, and nobody else is getting it at this moment, with an account or without.
        _put(to, copy, _is_free() & Player.former.does_not_exist() | (Player.former == former))
    retire(name, to)


def is_same(name: str, other: str) -> bool:
    """Whether ``other`` is the new name of this very player, because ``move`` was interrupted."""
    copy = _player(other)
    return copy is not None and copy.former == _stamp(name, _player(name) or Player())


def _stamp(name: str, player: Player) -> str:
    # Somebody else may have the same name years later.
    return f"{name}#{player.generation or ''}"


def retire(name: str, becomes: str, *, assuming: Condition | None = None) -> str:
    """End the account of ``name``, if there is one, and its sessions. Return the name that its games go to.

    That is ``becomes``, or the one of an earlier call. For RESERVED_FOR nobody can choose the name. Raises NoSuchPlayer
    unless ``assuming`` holds.
    """
    ends = int((datetime.now(UTC) + RESERVED_FOR).timestamp())
    actions = [Player.becomes.set(becomes), Player.expires_at.set(ends), _fresh()]
    actions += [Player.password.remove(), Player.joined.remove(), Player.blocked.remove(), Player.former.remove()]
    # Condition: the name wasn't given up before, or for the same new name.
    kept = Player.becomes.does_not_exist()
    try:
        _update(name, actions, (kept if assuming is None else kept & assuming) | (Player.becomes == becomes))
    except ConditionFailed as exc:
        earlier = exc.item and Player.from_raw_data(exc.item).becomes
        if not earlier:
            raise NoSuchPlayer(name) from exc
        return earlier
    return becomes


def heir(name: str) -> str | None:
    """Return the name that the games of a name that was given up go to; None if it wasn't."""
    return (_player(name) or Player()).becomes


def _fresh() -> Action:
    return Player.generation.set(secrets.token_urlsafe(9))


def _change(name: str, actions: list[Action], condition: Condition | None = None) -> None:
    # Condition: the player still exists, unless the caller has another.
    try:
        _update(name, actions, Player.password.exists() if condition is None else condition)
    except ConditionFailed as exc:
        raise NoSuchPlayer(name) from exc


def _update(name: str, actions: list[Action], condition: Condition) -> None:
    generations.note(name, Player.from_raw_data(conditional.update(Player(Player.key(name)), actions, condition)))


def _player(name: str) -> Player | None:
    with unavailable():
        return Player.find(Player.key(name), consistent=True)


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
