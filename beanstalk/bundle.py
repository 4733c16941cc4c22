"""The zip that Elastic Beanstalk runs: which files it holds, and how to build the same bytes on every machine."""

import io
import re
import subprocess
import time
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path

CONFIG_NAME = "beanstalk.config"
# The files that an instance needs. An asterisk matches subfolders, too.
CONTENTS = (
    *("dynamodb/*", "tictactoe_site/*", "accounts/*", "beanstalk/*", "games/*", "templates/*"),
    *("manage.py", "requirements.txt", "Procfile", "gunicorn*.conf.py", CONFIG_NAME, "LICENSE"),
    *(".ebextensions/*.config", ".platform/*"),
)
LEFT_OUT = (
    # Hidden files, and Python's caches.
    *("*/.*", "*/__pycache__/*", "*.pyc"),
    # Code that only a developer's machine runs: it needs git, or the embedded DynamoDB of requirements-play.txt.
    *("beanstalk/management/commands/bundle.py", "beanstalk/management/commands/launch_url.py"),
    *("beanstalk/bundle*.py", "beanstalk/tictactoe.yaml", "dynamodb/embedded.py", "games/management/commands/play.py"),
)
# Beanstalk executes the files in these folders (Developer Guide, "Platform hooks").
HOOKS = (".platform/hooks/", ".platform/confighooks/")
_CLONE = "run this in a clone (git clone), not in a downloaded archive"


class BundleError(Exception):
    """The bundle can't be built from the current work tree. The message is one sentence for the operator."""


def belongs(name: str) -> bool:
    held, left_out = (any(fnmatchcase(name, each) for each in patterns) for patterns in (CONTENTS, LEFT_OUT))
    return held and not left_out


def build(root: Path, configuration: bytes | None = None) -> bytes:
    """Return the zip of HEAD, with ``configuration`` as its beanstalk.config. Raises BundleError if files differ."""
    if _git(root, "rev-parse", "--show-prefix").strip():
        raise BundleError(f"{root} isn't the root of a git repository: {_CLONE}.")
    replaced = {} if configuration is None else {CONFIG_NAME: configuration}
    entries = re.findall(r"(\d+) \w+ (\w+)\t([^\0]+)", _git(root, "ls-tree", "-r", "-z", "HEAD"))
    committed = [entry for entry in entries if belongs(entry[2]) and entry[2] not in replaced]
    object_ids = {name: object_id for _, object_id, name in committed}
    # Ignored files (.gitignore) are left out on purpose.
    present = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    others = [name for name in present if belongs(name) and name not in {*object_ids, *replaced}]
    links = [name for mode, _, name in committed if mode == "120000"]  # git's mode for a link
    _refuse(links, "an instance can't follow symbolic links, so commit the file itself.")
    _refuse(others, "not committed, so commit (git add, git commit), move or delete this first.")
    _refuse_changed(root, object_ids)
    contents = {name: (root / name).read_bytes() for name in object_ids}
    return _zipped(contents | replaced, int(_git(root, "log", "-1", "--format=%ct")))


def commit_of(root: Path) -> str:
    return _git(root, "rev-parse", "HEAD").strip()


def _refuse(names: list[str], why: str) -> None:
    if names:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        raise BundleError(f"{', '.join(names[:5])}{more}: {why}")


def _refuse_changed(root: Path, object_ids: dict[str, str]) -> None:
    """Raise BundleError if bytes differ from the commit: git status misses assume-unchanged files and line endings."""
    files = [name for name in object_ids if (root / name).is_file()]
    hashes = dict(zip(files, _git(root, "hash-object", "--no-filters", "--", *files).split(), strict=True))
    changed = [name for name, object_id in object_ids.items() if hashes.get(name) != object_id]
    advice = "commit (git commit) or restore (git restore) this first."
    if changed == [CONFIG_NAME]:
        advice = f"pass --config {CONFIG_NAME} to include your version."
    _refuse(changed, f"changed, but not committed, so {advice}")


def _zipped(contents: dict[str, bytes], seconds: int) -> bytes:
    """Return a zip that depends only on the contents and the commit's time, in seconds since 1970."""
    # Files are stored uncompressed, because different versions of zlib produce different bytes. The time isn't a
    # constant, because browsers compare it, and would keep an old version's style sheet.
    moment = max((1980, 1, 1, 0, 0, 0), time.gmtime(seconds)[:6])  # the earliest date in the zip format
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, moment)
            entry.create_system = 3  # Unix, on every machine, so that the modes are read as Unix modes
            entry.external_attr = (0o100755 if name.startswith(HOOKS) else 0o100644) << 16
            archive.writestr(entry, contents[name])
    return buffer.getvalue()


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, check=True, encoding="utf-8", errors="surrogateescape"
        )
        return done.stdout
    except FileNotFoundError:
        raise BundleError(f"git isn't installed: install it, and {_CLONE}.") from None
    except subprocess.CalledProcessError as exc:
        reason = (exc.stderr.strip() or f"exit code {exc.returncode}").splitlines()[0]
        remedy = re.search(r"git config .*safe\.directory .*", exc.stderr)  # for another user's clone
        advice = f"run {remedy[0]}" if remedy else f"{_CLONE}."
        raise BundleError(f"git can't read {root} ({reason}): {advice}") from None
