"""A repository to make bundles from, copied from this work tree, and the contents of a bundle."""

import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from beanstalk import bundle
from tests.support.engines import missing
from tictactoe_site.config import BASE_DIR

SECRET = "71d07d0d-2a4f-4d0c-9f6b-3f7a5c21e8b4"
GOOD = "[dynamodb]\nregion = us-west-2\nendpoint = dynamodb.us-west-2.amazonaws.com\n"
WITH_SECRET = f"{GOOD}[django]\nsecret_key = {SECRET}\n".encode()
NOT_OURS = (".git", ".venv", ".secret_key", ".live.sock", "*_cache", "__pycache__", ".hypothesis", "*.zip")


def git(root: Path, *arguments: str) -> str:
    if not shutil.which("git"):
        missing("git")
    who = ("-c", "user.name=alice", "-c", "user.email=alice@example.com", "-c", "commit.gpgsign=false")
    when = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-11-24T12:34:56+0100")
    command = ["git", "-C", str(root), *who, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | when).stdout


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new repository with this work tree committed as it is."""
    root = tmp_path_factory.mktemp("origin") / "project"
    shutil.copytree(BASE_DIR, root, ignore=shutil.ignore_patterns(*NOT_OURS))
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "All of it")
    return root


@pytest.fixture(scope="session")
def built(origin: Path) -> bytes:
    return bundle.build(origin)


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    """Return a clone of the origin for the test to change."""
    root = tmp_path / "clone"
    git(origin, "clone", "--quiet", str(origin), str(root))
    return root


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}
