"""Checks of a zip, also one made by hand, before it is uploaded: Elastic Beanstalk takes minutes to find less."""

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
        return [f"it isn't a zip file, or it's damaged ({exc}): build it again with manage.py bundle."]


def _problems_of(archive: zipfile.ZipFile, size: int) -> Iterator[str]:
    names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if not names:
        yield "it's empty: build it again with manage.py bundle."
    elif folder := _folder_around(names):
        yield f"everything is inside the folder {folder}: zip the folder's contents, not the folder itself."
    elif size > LARGEST:
        yield f"it has {size} bytes, over {LARGEST}: remove files that the site doesn't need."
    elif unpacked > LARGEST_UNPACKED:
        yield f"it unpacks to {unpacked} bytes, over {LARGEST_UNPACKED}: remove files that the site doesn't need."
    elif damaged := archive.testzip():
        yield f"{damaged} is damaged: build the zip again with manage.py bundle."
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
            yield f"{folder} is missing: zip . instead of *, which skips names that begin with a dot."


def _strange(names: list[str]) -> Iterator[str]:
    strays = []
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{name} is in the zip {count} times: keep one."
        if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
            yield f"{name!r} could be unpacked outside the site's folder: remove it."
        elif not bundle.belongs(name):
            strays.append(name)
    if len(strays) > 5:
        yield f"{len(strays)} files don't belong in the zip, such as {', '.join(strays[:3])}: use manage.py bundle."
    else:
        yield from (f"{name} doesn't belong in the zip: remove it." for name in strays)


def _modes(archive: zipfile.ZipFile) -> Iterator[str]:
    for entry in archive.infolist():
        mode = entry.external_attr >> 16
        if stat.S_ISLNK(mode):
            yield f"{entry.filename} is a symbolic link, and an instance can't follow it: replace it with the file."
        elif entry.filename.startswith(bundle.HOOKS) and not entry.is_dir() and mode & 0o111 != 0o111:
            yield f"{entry.filename} isn't executable, but Beanstalk runs it: set its mode with chmod +x."


def _procfile(data: bytes, file: str) -> Iterator[str]:
    commands = dict(re.findall(r"^([A-Za-z0-9_-]+):[ \t]*(\S.*)$", data.decode(errors="replace"), re.MULTILINE))
    for name, port in PORTS.items():
        found = _BIND.search(commands.get(name, ""))
        if name not in commands:
            yield f"{file}: the process {name} is missing."
        elif not found or int(found[1]) != port:
            yield f"{file}: {name} must listen on port {port}, where nginx connects: --bind 127.0.0.1:{port}."


def _requirements(data: bytes, file: str) -> Iterator[str]:
    """Yield bad lines. If one line has a hash, pip requires one in each (pip's documentation, "Secure installs")."""
    text = re.sub(r"(^|\s)#.*$", "", data.decode(errors="replace").replace("\\\n", " "), flags=re.MULTILINE)
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines:
        yield f"{file} lists no packages."
    for name, *rest in lines:
        if name == "--only-binary":
            continue
        if name.startswith("-"):
            yield f"{file}: {name} needs something outside the bundle: remove it."
        elif "==" not in name or not any(word.startswith("--hash=") for word in rest):
            yield f"{file}: {name} has no exact version with a hash: run make requirements."


_JUDGES = {"Procfile": _procfile, "requirements.txt": _requirements, bundle.CONFIG_NAME: bundle_config.problems}
