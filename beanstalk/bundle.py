"""The zip that Elastic Beanstalk runs: which files it holds, and how it becomes the same bytes wherever it is built.

It is made from a commit, and from the operator's configuration where one is given. A file must stand on the list below
to be in it, and be committed as it is.
"""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeAlias

CONFIG_NAME = "beanstalk.config"
# What an instance runs. An asterisk stands for subfolders, too.
CONTENTS = (
    "manage.py",
    "dynamodb/*",
    "tictactoe_site/*",
    "accounts/*",
    "beanstalk/*",
    "games/*",
    "templates/*",
    "requirements.txt",
    "Procfile",
    "gunicorn*.conf.py",
    CONFIG_NAME,
    ".ebextensions/*.config",
    ".platform/*",
    "LICENSE",
)
# What of it only a developer's machine runs: it needs git, or the embedded DynamoDB of requirements-play.txt.
LEFT_OUT = (
    "beanstalk/bundle*.py",
    "beanstalk/tictactoe.yaml",
    "beanstalk/management/commands/bundle.py",
    "beanstalk/management/commands/launch_url.py",
    "dynamodb/embedded.py",
    "games/management/commands/play.py",
)
HOOKS = (".platform/hooks/", ".platform/confighooks/")
# Python has no business with the mode of a file, Beanstalk with that of a hook.
FILE_MODE, HOOK_MODE = 0o100644, 0o100755
Moment: TypeAlias = tuple[int, int, int, int, int, int]
EARLIEST: Moment = (1980, 1, 1, 0, 0, 0)  # of the zip format
SYMLINK = "120000"


class BundleError(Exception):
    """The bundle can't be made from the work tree as it is. The text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as the commit has it: git's mode and object id, and its path from the project's root."""

    mode: str
    object_id: str
    name: str


def belongs(name: str) -> bool:
    """Whether a file of this name is part of a bundle. Hidden files are not, nor is what Python leaves behind."""
    below = Path(name).parts[1:]
    if any(part.startswith(".") or part == "__pycache__" for part in below) or name.endswith(".pyc"):
        return False
    return _matches(name, CONTENTS) and not _matches(name, LEFT_OUT)


def is_hook(name: str) -> bool:
    """Whether Beanstalk executes it (Developer Guide, "Platform hooks")."""
    return name.startswith(HOOKS)


def build(root: Path, configuration: bytes | None = None) -> bytes:
    """The zip of the commit checked out at ``root``, with ``configuration`` in place of the commit's beanstalk.config.

    Raises BundleError where files that would be in it are not exactly those of the commit.
    """
    replaced = {CONFIG_NAME} if configuration is not None else set()
    sources = [source for source in _committed(root) if source.name not in replaced]
    _refuse_links(sources)
    _refuse_others(root, {source.name for source in sources} | replaced)
    _refuse_changed(root, sources)
    contents = {source.name: (root / source.name).read_bytes() for source in sources}
    if configuration is not None:
        contents[CONFIG_NAME] = configuration
    return _zipped(contents, _time_of_commit(root))


def commit_of(root: Path) -> str:
    """The id of the commit that is checked out."""
    return _git(root, "rev-parse", "HEAD").strip()


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _committed(root: Path) -> Iterator[Source]:
    if _git(root, "rev-parse", "--show-prefix").strip():
        raise BundleError(f"{root} is no git repository of its own: {_CLONE}.")
    for entry in _git(root, "ls-tree", "-r", "-z", "HEAD").split("\0")[:-1]:
        about, _, name = entry.partition("\t")
        mode, _, object_id = about.split()
        if belongs(name):
            yield Source(mode, object_id, name)


def _refuse_links(sources: Iterable[Source]) -> None:
    links = [source.name for source in sources if source.mode == SYMLINK]
    if links:
        raise BundleError(f"{_listed(links)}: a link leads to nothing on an instance, so put the file itself there.")


def _refuse_others(root: Path, known: set[str]) -> None:
    """Files that would be in it if they were committed. What .gitignore names is nobody's mistake, and left out."""
    found = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")[:-1]
    others = [name for name in found if belongs(name) and name not in known]
    if others:
        raise BundleError(f"{_listed(others)}: not committed, so commit (git add, git commit), move or remove first.")


def _refuse_changed(root: Path, sources: list[Source]) -> None:
    """Compared byte by byte: git's own status overlooks what it was told to assume unchanged, and line ends."""
    there = [source for source in sources if (root / source.name).is_file()]
    paths = "".join(f"{source.name}\n" for source in there)
    object_ids = _git(root, "hash-object", "--no-filters", "--stdin-paths", stdin=paths).split()
    same = {source for source, object_id in zip(there, object_ids, strict=True) if source.object_id == object_id}
    changed = [source.name for source in sources if source not in same]
    if changed == [CONFIG_NAME]:
        raise BundleError(
            f"{CONFIG_NAME}: changed, but not committed, so say that yours is meant: --config {CONFIG_NAME}."
        )
    if changed:
        raise BundleError(f"{_listed(changed)}: changed, but not committed, so commit or restore (git restore) first.")


def _time_of_commit(root: Path) -> Moment:
    """The files' time. Not a constant: browsers compare it, and would take a new version's style sheet for the old."""
    moment = datetime.fromtimestamp(int(_git(root, "log", "-1", "--format=%ct")), UTC)
    return max(EARLIEST, moment.timetuple()[:6])


def _zipped(contents: dict[str, bytes], moment: Moment) -> bytes:
    """Stored, not compressed: it is small, and two versions of zlib don't compress to the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, moment)
            entry.create_system = 3  # Unix, wherever it is built: the modes are read as such
            entry.external_attr = (HOOK_MODE if is_hook(name) else FILE_MODE) << 16
            archive.writestr(entry, contents[name])
    return buffer.getvalue()


_CLONE = "a bundle is made from a commit, so use a clone (git clone), not a downloaded archive"


def _git(root: Path, *arguments: str, stdin: str = "") -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, input=stdin, capture_output=True, encoding="utf-8", errors="surrogateescape", check=True
        )
    except FileNotFoundError:
        raise BundleError(f"git is not installed: install it; {_CLONE}.") from None
    except subprocess.CalledProcessError as exc:
        reason = (exc.stderr.strip() or f"exit code {exc.returncode}").splitlines()[0]
        raise BundleError(f"git can't read {root} ({reason}): {_CLONE}.") from None
    return done.stdout


def _listed(names: list[str]) -> str:
    """Some names, and how many more."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
