import hashlib
import io
import tempfile
import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.template.defaultfilters import pluralize

from beanstalk import bundle, bundle_check, bundle_config
from tictactoe_site import config
from tictactoe_site.commands import SiteCommand

NO_KEY = (
    "The zip has no secret_key. One server makes its own, but several servers must share one, and a new server "
    "doesn't know the old one's: set secret_key in your configuration and pass --config FILE."
)


class Command(SiteCommand):
    help = (
        "Build the zip that Elastic Beanstalk runs, and print its contents, size and SHA-256, which makes a good "
        "version label. The zip contains the committed files that an instance needs, and nothing else. The command "
        "refuses if one of them isn't committed or has changed. The same commit gives the same bytes on every machine. "
        "--config adds your configuration, which doesn't have to be committed."
    )
    epilog = "Exit codes: 0 done; 1 refused, or --check found problems; 2 wrong configuration or parameter."
    errors = (bundle.BundleError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        explanation = "your configuration, to include as beanstalk.config: set CONFIG_FILE to that name on the server. "
        explanation += "The zip is then as secret as the file"
        parser.add_argument("--output", metavar="ZIP", type=Path, help="where to write the zip (default tictactoe.zip)")
        parser.add_argument("--config", metavar="FILE", type=Path, help=explanation)
        parser.add_argument("--check", metavar="ZIP", type=Path, help="check this zip instead of building one")
        parser.add_argument("--dry-run", action="store_true", help="print the contents, but write nothing")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_zip(options["check"], options) if options["check"] else self.make(options)

    def check_zip(self, path: Path, options: dict[str, Any]) -> None:
        if options["config"] or options["output"] or options["dry_run"]:
            raise CommandError("--check only reads: leave out --config, --output and --dry-run.", returncode=2)
        data = _read(path)
        found = bundle_check.problems(data)
        if options["json"]:
            self.print_json(_summary(path, data) | {"problems": found})
        else:
            self.stdout.write("\n".join(f"{path}: {problem}" for problem in found) or _total(path, data))
        if found:
            raise CommandError(f"{path} isn't ready for Beanstalk: {len(found)} problem{pluralize(len(found))}.")

    def make(self, options: dict[str, Any]) -> None:
        path: Path = options["output"] or Path("tictactoe.zip")
        data = bundle.build(config.BASE_DIR, _configuration(options["config"]))
        if found := bundle_check.problems(data):
            raise CommandError(f"This zip wouldn't run on Beanstalk: {' '.join(found)}")
        if not options["dry_run"]:
            _write(path, data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            contents = [{"name": entry.filename, "bytes": entry.file_size} for entry in archive.infolist()]
            chosen = bundle_config.read(archive.read(bundle.CONFIG_NAME), bundle.CONFIG_NAME)
        if options["json"]:
            about = _summary(path, data) | {"commit": bundle.commit_of(config.BASE_DIR), "contents": contents}
            self.print_json(about | {"written": not options["dry_run"]})
        else:
            lines = [f"{entry['bytes']:8} {entry['name']}" for entry in contents]
            self.stdout.write("\n".join([*lines, _total(path, data)]))
        if not chosen.secret_key:
            self.say(NO_KEY)
        if options["dry_run"]:
            self.say("Nothing was written (--dry-run).")


def _configuration(path: Path | None) -> bytes | None:
    """Return the operator's configuration. Raises CommandError if it isn't fit for a server."""
    if path is None:
        return None
    data = _read(path)
    if found := list(bundle_config.problems(data, str(path))):
        raise CommandError(" ".join(found), returncode=2)
    return data


def _summary(path: Path, data: bytes) -> dict[str, Any]:
    return {"file": str(path), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _total(path: Path, data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = len(archive.infolist())
    return f"{path}: {files} files, {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(500_000_000)  # Beanstalk's own limit
    except OSError as exc:
        raise CommandError(f"{path} can't be read ({exc.strerror}): correct the path.", returncode=2) from None


def _write(path: Path, data: bytes) -> None:
    """Write the whole file or nothing, readable only by its owner, because it may hold a secret."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            fresh = Path(folder, "zip")
            fresh.touch(0o600)
            fresh.write_bytes(data)
            fresh.replace(path)
    except OSError as exc:
        raise CommandError(f"{path} can't be written ({exc.strerror}): change --output.", returncode=2) from None
