"""The check finds defects of a bundle, or of the configuration in it, before upload and reports each in a sentence."""

import io
import secrets
import uuid
import zipfile
from collections.abc import Callable

import pytest
from django.core.management.utils import get_random_secret_key

from beanstalk import bundle_check, bundle_config
from tests.support.bundles import GOOD, WITH_SECRET, contents
from tests.support.bundles import built as built
from tests.support.bundles import origin as origin
from tictactoe_site import config

pytestmark = pytest.mark.deployment


def zipped(files: dict[str, bytes], mode: int = 0o100755) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


Files = dict[str, bytes]
HOOK = ".platform/hooks/predeploy/10_keep_secret_key.sh"


def without(files: Files, start: str) -> Files:
    return {name: data for name, data in files.items() if not name.startswith(start)}


def with_(**replacements: tuple[bytes, bytes]) -> Callable[[Files], Files]:
    return lambda files: files | {name: files[name].replace(*pair) for name, pair in replacements.items()}


# A change to a valid bundle's files, and the start of the one problem reported.
SPOILED: dict[str, tuple[Callable[[Files], Files], str]] = {
    "empty": (lambda files: {}, "it's empty"),
    "a folder around it": (
        lambda files: {f"project/{name}": data for name, data in files.items()},
        "everything is inside the folder project",
    ),
    "a file missing": (lambda files: without(files, "Procfile"), "Procfile is missing"),
    "hidden folders missing": (lambda files: without(files, ".ebextensions/"), ".ebextensions/ is missing"),
    "nginx missing": (lambda files: without(files, ".platform/nginx/"), ".platform/nginx/ is missing"),
    "tests": (lambda files: files | {"tests/test_rules.py": b""}, "tests/test_rules.py doesn't belong"),
    "git": (lambda files: files | {".git/config": b""}, ".git/config doesn't belong"),
    "its own key": (lambda files: files | {".secret_key": b""}, ".secret_key doesn't belong"),
    "a hidden file": (lambda files: files | {"games/.secret_key": b""}, "games/.secret_key doesn't belong"),
    "an environment": (lambda files: files | {".venv/bin/python": b""}, ".venv/bin/python doesn't belong"),
    "Python's leavings": (lambda files: files | {"games/__pycache__/a.pyc": b""}, "games/__pycache__/a.pyc doesn't"),
    "out of its folder": (lambda files: files | {"games/../../x": b""}, "'games/../../x' could be unpacked outside"),
    "absolute": (lambda files: files | {"/etc/passwd": b""}, "'/etc/passwd' could be unpacked outside"),
    "another port": (with_(Procfile=(b":8000", b":8080")), "Procfile: web must listen on port 8000"),
    "no port": (with_(Procfile=(b"--bind 127.0.0.1:8001 ", b"")), "Procfile: live must listen on port 8001"),
    "no live": (with_(Procfile=(b"live:", b"lice:")), "Procfile: the process live is missing"),
    "no hash": (
        lambda files: files | {"requirements.txt": files["requirements.txt"] + b"\nflask==3.1.0\n"},
        "requirements.txt: flask==3.1.0 has no exact version with a hash",
    ),
    "another file asked for": (
        lambda files: files | {"requirements.txt": b"-r requirements-play.txt\n" + files["requirements.txt"]},
        "requirements.txt: -r needs something",
    ),
    "no requirements": (lambda files: files | {"requirements.txt": b"# none\n"}, "requirements.txt lists no packages"),
    "no INI file": (lambda files: files | {"beanstalk.config": b"hello"}, "beanstalk.config: line 1"),
    "a placeholder": (
        lambda files: files | {"beanstalk.config": WITH_SECRET.replace(b"71d0", b"example")},
        "beanstalk.config: [django] secret_key is a placeholder",
    ),
    "too large": (lambda files: files | {"games/x.bin": b"x" * 1_000_000}, "it has "),
}


@pytest.mark.parametrize("what", SPOILED)
def test_each_defect_of_bundle_is_one_problem(what: str, built: bytes) -> None:
    spoil, words = SPOILED[what]
    found = bundle_check.problems(zipped(spoil(contents(built))))
    assert len(found) == 1, found
    assert found[0].startswith(words), found


def test_hand_made_zip_passes(built: bytes) -> None:
    """It is compressed, has entries for folders, and tells pip to use no source distributions."""
    files = contents(built)
    files["requirements.txt"] = b"--only-binary :all:\n\n" + files["requirements.txt"]
    buffer = io.BytesIO(zipped(files))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        for folder in ("games/", ".ebextensions/", ".platform/hooks/"):
            archive.writestr(zipfile.ZipInfo(folder), b"")
    assert bundle_check.problems(buffer.getvalue()) == []


def test_non_executable_hooks_and_symlinks_are_problems(built: bytes) -> None:
    found = bundle_check.problems(zipped(contents(built), mode=0o100644))
    assert [problem.split()[0] for problem in found] == [HOOK.replace("/hooks", "/confighooks"), HOOK]
    assert all("isn't executable" in problem for problem in found)
    found = bundle_check.problems(zipped({"manage.py": b"/etc/passwd"}, mode=0o120777))
    assert "manage.py is a symbolic link, and an instance can't follow it: replace it with the file." in found


def test_folder_in_zip_is_found_first_and_many_strays_are_one_sentence(built: bytes) -> None:
    files = contents(built)
    nested = zipped({f"tictactoe/{name}": data for name, data in files.items()} | {"tictactoe/x.bin": b"x" * 2_000_000})
    assert bundle_check.problems(nested) == [
        "everything is inside the folder tictactoe: zip the folder's contents, not the folder itself."
    ]
    strays = zipped(files | {f"tests/test_{number}.py": b"" for number in range(142)})
    (problem,) = bundle_check.problems(strays)
    assert problem.startswith("142 files don't belong in the zip, such as tests/test_0.py, ")


def contents_in(data: bytes | bytearray) -> dict[str, range]:
    """Return where each file's content is in the zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    starts = {entry: entry.header_offset + 30 + len(entry.filename) for entry in entries}
    return {entry.filename: range(start, start + entry.compress_size) for entry, start in starts.items()}


def deflated(data: bytes) -> bytes:
    """Return a zip with only manage.py in it, compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manage.py", data)
    return buffer.getvalue()


def middle_of(data: bytes, name: str) -> int:
    """Return the offset of the middle of the file's content in the zip."""
    content = contents_in(data)[name]
    return content[len(content) // 2]


def test_damaged_zip_or_zip_bomb_is_a_problem(built: bytes) -> None:
    damaged = bytearray(built)
    damaged[middle_of(built, "manage.py")] ^= 1
    undefined = bytearray(deflated(b"0" * 100))
    undefined[contents_in(undefined)["manage.py"][0]] |= 0b110  # the reserved block type (RFC 1951, 3.2.3)
    for data, words in (
        (b"", "isn't a zip file"),
        (b"hello\n", "isn't a zip file"),
        (built[:-100], "isn't a zip file"),
        (built[: len(built) // 2], "isn't a zip file"),
        (bytes(damaged), "is damaged"),
        (bytes(undefined), "invalid block type"),
        (deflated(b"0" * 20_000_000), "unpacks to 20000000 bytes"),
    ):
        (found,) = bundle_check.problems(data)
        assert words in found


def test_duplicate_file_name_is_a_problem(built: bytes) -> None:
    buffer = io.BytesIO(built)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("games/views.py", b"")
    assert bundle_check.problems(buffer.getvalue()) == ["games/views.py is in the zip 2 times: keep one."]


@pytest.mark.parametrize(("offset", "what"), [(8, 0x01), (10, 0x63)], ids=["encrypted", "a method Python has not"])
def test_encrypted_or_unsupported_zip_is_a_problem(built: bytes, offset: int, what: int) -> None:
    """The central directory's entries hold both, in flags and method (APPNOTE.TXT of the zip format, 4.3.12)."""
    changed = bytearray(built)
    changed[changed.index(b"PK\x01\x02") + offset] = what
    (found,) = bundle_check.problems(bytes(changed))
    assert "isn't a zip file, or it's damaged" in found


def test_truncated_zip_is_a_problem(built: bytes) -> None:
    for length in range(0, len(built), 997):
        (problem,) = bundle_check.problems(built[:length])
        assert problem.startswith("it isn't a zip file, or it's damaged"), length


def test_flipped_bit_in_a_file_is_a_problem_and_elsewhere_raises_nothing(built: bytes) -> None:
    """Flip a bit of every 997th byte, in turn: in the contents, their headers, and the directory at the end."""
    contents = contents_in(built).values()
    positions = range(0, len(built), 997)
    inside = {position for position in positions if any(position in content for content in contents)}
    assert len(inside) > len(positions) / 2
    for position in positions:
        garbled = bytearray(built)
        garbled[position] ^= 0x10
        found = bundle_check.problems(bytes(garbled))
        assert found or position not in inside, position
        assert all(problem.endswith(".") for problem in found), found


@pytest.mark.parametrize(
    "secret",
    [
        "284e784d-1a25-4a19-92bf-8eeb7a9example",
        "CHANGEME-CHANGEME-CHANGEME-123456",
        "django-insecure-h3k5!d8s0(z9@x2c7v1b4n6m",
        "my-very-long-secret-for-tic-tac-toe-42",
        "correct-horse-battery-password-9817",
        "x" * 40,
        "00000000-0000-0000-0000-000000000000",
        "abcdefghij0123456789abcdefghij0123456789",
        "0123456789abcdef0123456789abcdef0123",
    ],
)
def test_placeholder_secret_is_a_problem_and_not_repeated(secret: str) -> None:
    for key in ("secret_key", "secret_key_fallbacks"):
        text = f"{GOOD}[django]\n{key} = {secret}\n"
        (problem,) = bundle_config.problems(text.encode(), "mine.config")
        assert problem.startswith(f"mine.config: [django] {key} is a placeholder")
        assert secret not in problem


@pytest.mark.parametrize(
    "make", [lambda: str(uuid.uuid4()), lambda: uuid.uuid4().hex, get_random_secret_key, secrets.token_urlsafe]
)
def test_random_secrets_pass(make: Callable[[], str]) -> None:
    assert not [secret for secret in (make() for _ in range(1000)) if bundle_config.is_dummy(secret)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("dynamodb.us-west-2", "http://dynamodb.us-west-2"), "[dynamodb] endpoint is http"),
        (GOOD.replace("dynamodb.us-west-2.amazonaws.com", "http://localhost:8000"), "[dynamodb] endpoint"),
        (GOOD.replace("dynamodb.us-west-2.amazonaws.com", "http://127.0.0.2:8000"), "[dynamodb] endpoint"),
        (GOOD.replace("dynamodb.us-west-2.amazonaws.com", "http://[::1]:8000"), "[dynamodb] endpoint"),
        (GOOD.replace("dynamodb.us-west-2.amazonaws.com", "http://0.0.0.0:8000"), "[dynamodb] endpoint"),
        (GOOD + "access_key_id = AKIAIOSFODNN7\nsecret_access_key = abc\n", "[dynamodb] access_key_id"),
    ],
)
def test_unsafe_endpoint_or_credentials_are_a_problem(text: str, words: str) -> None:
    (problem,) = bundle_config.problems(text.encode(), "mine.config")
    assert problem.startswith(f"mine.config: {words}")
    assert "AKIA" not in problem


def test_config_error_names_the_operators_file() -> None:
    with pytest.raises(config.ConfigError, match=r"^mine.config: \[dynamodb\] region is still the placeholder"):
        bundle_config.read(b"[dynamodb]\nregion = <AWS region>\n", "mine.config")
