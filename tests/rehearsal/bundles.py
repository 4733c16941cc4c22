"""Zips to rehearse, made by ``manage.py bundle`` from a copy of this repository, with uncommitted changes."""

import subprocess
import sys
from pathlib import Path

from tictactoe_site.config import BASE_DIR

AUTHOR = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost"]


class Repository:
    """A copy of this repository whose commits are versions to deploy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # `stash create` commits the files as they are, changing nothing here; prints nothing if all is committed.
        here = _git(BASE_DIR, "stash", "create") or _git(BASE_DIR, "rev-parse", "HEAD")
        _git(BASE_DIR, "clone", "--quiet", "--shared", "--no-checkout", str(BASE_DIR), str(folder))
        _git(folder, "checkout", "--quiet", here)

    def bundle(self, name: str, configuration: str) -> Path:
        """Return the path of a zip of the current commit with the operator's configuration."""
        config, output = self.folder.parent / f"{name}.config", self.folder.parent / f"{name}.zip"
        config.write_text(configuration)
        command = [sys.executable, "manage.py", "bundle", "--config", str(config), "--output", str(output)]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        return output

    def change(self, name: str, old: str, new: str) -> None:
        """Replace text in a file and commit that."""
        file = self.folder / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        _git(self.folder, "commit", "--quiet", "-am", f"{old} becomes {new}")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", *AUTHOR, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
