"""Checks of a zip before it is uploaded. Elastic Beanstalk takes minutes to find the same problems, and says less.

They work on any zip, including one that was made by hand.
"""

import io
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from beanstalk import bundle, bundle_config

LARGEST = 1_000_000  # bytes; ours has a third of that. Beanstalk's own limit is 500 MB
LARGEST_UNPACKED = 10_000_000
NEEDED = (
    *("manage.py", "requirements.txt", "Procfile", bundle.CONFIG_NAME, "gunicorn.conf.py", "gunicorn.live.conf.py"),
    *("dynamodb/conditional.py", "tictactoe_site/settings.py", "tictactoe_site/wsgi.py", "tictactoe_site/asgi.py"),
    *("games/urls.py", "accounts/urls.py", "templates/base.html"),
)
NEEDED_FOLDERS = (".ebextensions/", ".platform/nginx/")
# The ports that nginx connects to, in the platform's configuration and in this project's part (.platform/nginx).
PORTS = {"web": 8000, "live": 8001}
_BIND = re.compile(r"(?:--bind|-b)[ =](?:\S*:)?(\d+)(?:\s|$)")


def problems(data: bytes) -> list[str]:
    """Return one sentence for each problem. Raises nothing: data that isn't a zip is a problem, too."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return list(_problems_of(archive, len(data)))
    # NotImplementedError and RuntimeError: a compression or encryption method that Python lacks.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as exc:
        return [f"it is no zip file, or a damaged one ({exc}): build it again with manage.py bundle."]


def _problems_of(archive: zipfile.ZipFile, size: int) -> Iterator[str]:
    names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if not names:
        yield "it is empty."
    elif folder := _folder_around(names):
        yield f"everything is in the folder {folder}: zip what is in that folder, not the folder."
    elif size > LARGEST:
        yield f"it has {size} bytes, and should have less than {LARGEST}: something is in it that isn't ours."
    elif unpacked > LARGEST_UNPACKED:
        yield f"it unpacks to {unpacked} bytes: something is in it that isn't ours."
    elif damaged := archive.testzip():
        yield f"{damaged} is damaged: build it again with manage.py bundle."
    else:
        yield from _missing(names)
        yield from _strange(names)
        yield from _modes(archive)
        for name, judge in _JUDGES.items():
            if name in names:
                yield from judge(archive.read(name), name)


def _folder_around(names: list[str]) -> str | None:
    """Return the one folder that holds everything, if there is one. Beanstalk's documentation warns of this mistake."""
    first = {PurePosixPath(name).parts[0] for name in names}
    folder = first.pop()
    return folder if not first and f"{folder}/manage.py" in names else None


def _missing(names: list[str]) -> Iterator[str]:
    for name in NEEDED:
        if name not in names:
            yield f"{name} is missing."
    for folder in NEEDED_FOLDERS:
        if not any(name.startswith(folder) for name in names):
            yield f"{folder} is missing: where a zip is made with *, names that begin with a dot are left out."


def _strange(names: list[str]) -> Iterator[str]:
    strays = []
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{name} is in it {count} times."
        if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
            yield f"{name!r} leads out of the folder that it is unpacked in."
        elif not bundle.belongs(name):
            strays.append(name)
    if len(strays) > 5:
        yield f"{len(strays)} files do not belong in it, such as {', '.join(strays[:3])}: use manage.py bundle."
    else:
        yield from (f"{name} does not belong in it." for name in strays)


def _modes(archive: zipfile.ZipFile) -> Iterator[str]:
    for entry in archive.infolist():
        mode = entry.external_attr >> 16
        if stat.S_ISLNK(mode):
            yield f"{entry.filename} is a link, which leads to nothing on an instance."
        elif entry.filename.startswith(bundle.HOOKS) and not entry.is_dir() and mode & 0o111 != 0o111:
            yield f"{entry.filename} is not executable, and Beanstalk executes it: chmod +x."


def _procfile(data: bytes, file: str) -> Iterator[str]:
    commands = dict(re.findall(r"^([A-Za-z0-9_-]+):[ \t]*(\S.*)$", data.decode(errors="replace"), re.MULTILINE))
    for name, port in PORTS.items():
        found = _BIND.search(commands.get(name, ""))
        if name not in commands:
            yield f"{file}: there is no process {name}."
        elif not found or int(found[1]) != port:
            yield f"{file}: {name} must listen on port {port}, where nginx looks for it: --bind 127.0.0.1:{port}."


def _requirements(data: bytes, file: str) -> Iterator[str]:
    """Yield bad lines. If one line has a hash, pip requires one in each (pip's documentation, "Secure installs")."""
    text = re.sub(r"(^|\s)#.*$", "", data.decode(errors="replace").replace("\\\n", " "), flags=re.MULTILINE)
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines:
        yield f"{file} names no package."
    for name, *rest in lines:
        if name == "--only-binary":
            continue
        if name.startswith("-"):
            yield f"{file}: {name} asks for something that is not in the bundle."
        elif "==" not in name or not any(word.startswith("--hash=") for word in rest):
            yield f"{file}: {name} has no exact version with a hash: make requirements."


_JUDGES = {"Procfile": _procfile, "requirements.txt": _requirements, bundle.CONFIG_NAME: bundle_config.problems_of_file}
