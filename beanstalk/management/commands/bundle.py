"""``manage.py bundle``: the zip for Elastic Beanstalk, made or checked."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from beanstalk import bundle, bundle_check, bundle_config
from tictactoe_site import config
from tictactoe_site.commands import SiteCommand

EXIT_CODES = "Exit codes: 0 done; 1 refused, or --check found something; 2 wrong configuration or parameter."


class Command(SiteCommand):
    help = (
        "Make the zip that Elastic Beanstalk runs, and print what is in it, its size and its SHA-256, which makes a "
        "good version label. It holds what the commit has of what an instance runs, and nothing else: files that git "
        "does not have as they are here stop it. The same commit gives the same bytes on every machine. "
        "--config puts your configuration in it, for which nothing needs to be committed."
    )
    epilog = EXIT_CODES

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", metavar="ZIP", type=Path, help="where to write it (default tictactoe.zip)")
        parser.add_argument(
            "--config",
            metavar="FILE",
            type=Path,
            help="your configuration, which becomes beanstalk.config in the zip: what CONFIG_FILE is to name there. "
            "The zip is then as secret as the file",
        )
        parser.add_argument("--check", metavar="ZIP", type=Path, help="check this zip, and make none")
        parser.add_argument("--dry-run", action="store_true", help="print what would be in it, and write nothing")
        parser.add_argument("--json", action="store_true", help="print it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["check"]:
                self.check_zip(options)
            else:
                self.make(options)
        except config.ConfigError as exc:
            raise CommandError(str(exc), returncode=2) from exc
        except bundle.BundleError as exc:
            raise CommandError(str(exc)) from exc

    def check_zip(self, options: dict[str, Any]) -> None:
        path: Path = options["check"]
        if options["config"] or options["output"] or options["dry_run"]:
            raise CommandError("--check only reads: leave out --config, --output and --dry-run.", returncode=2)
        data = _read(path)
        found = bundle_check.problems(data)
        if options["json"]:
            self.stdout.write(json.dumps(_summary(path, data) | {"problems": found}, indent=2))
        for problem in found if not options["json"] else ():
            self.stdout.write(f"{path}: {problem}")
        if found:
            raise CommandError(f"{path} is not fit for Beanstalk: {_number(len(found), 'problem')}.")
        if not options["json"]:
            self.stdout.write(_total(path, data))

    def make(self, options: dict[str, Any]) -> None:
        path: Path = options["output"] or Path("tictactoe.zip")
        given: Path | None = options["config"]
        configuration = _read(given) if given else None
        if configuration is not None:
            self.judge(configuration, str(given))
        data = bundle.build(config.BASE_DIR, configuration)
        found = bundle_check.problems(data)
        if found:
            raise bundle.BundleError(f"This would not run on Beanstalk: {' '.join(found)}")
        if not options["dry_run"]:
            _write(path, data)
        self.show(path, data, options)
        self.advise(data, written=not options["dry_run"])

    def judge(self, configuration: bytes, name: str) -> None:
        """Raise ConfigError for a configuration that must not be on a server."""
        found = list(bundle_config.problems(bundle_config.read(configuration, name), name))
        if found:
            raise config.ConfigError(" ".join(found))

    def show(self, path: Path, data: bytes, options: dict[str, Any]) -> None:
        contents = _contents(data)
        if options["json"]:
            summary = _summary(path, data) | {"commit": bundle.commit_of(config.BASE_DIR), "contents": contents}
            self.stdout.write(json.dumps(summary | {"written": not options["dry_run"]}, indent=2))
            return
        for entry in contents:
            self.stdout.write(f"{entry['bytes']:8} {entry['name']}")
        self.stdout.write(_total(path, data))

    def advise(self, data: bytes, *, written: bool) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            chosen = bundle_config.read(archive.read(bundle.CONFIG_NAME), bundle.CONFIG_NAME)
        if not chosen.secret_key:
            self.stderr.write(
                "It has no secret_key: enough for one server that stays. More than one must share a key, and a server "
                "that replaces another knows no key of its own: set it in a file of yours and pass --config FILE."
            )
        if not written:
            self.stderr.write("Nothing was written (--dry-run).")


def _contents(data: bytes) -> list[dict[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [{"name": entry.filename, "bytes": entry.file_size} for entry in archive.infolist()]


def _summary(path: Path, data: bytes) -> dict[str, Any]:
    return {"file": str(path), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _total(path: Path, data: bytes) -> str:
    summary = _summary(path, data)
    return f"{path}: {_number(len(_contents(data)), 'file')}, {summary['bytes']} bytes, SHA-256 {summary['sha256']}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(bundle_check.LARGEST + 1)
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise CommandError(f"{path} can't be read ({reason}): correct the path.", returncode=2) from None


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, and for its owner alone: there may be a secret in it."""
    fresh = ""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            fresh = file.name
            file.write(data)
        Path(fresh).replace(path)
    except (OSError, ValueError) as exc:
        if fresh:
            Path(fresh).unlink(missing_ok=True)
        reason = getattr(exc, "strerror", None) or exc
        raise CommandError(f"{path} can't be written ({reason}): name another --output.", returncode=2) from None
