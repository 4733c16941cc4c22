"""``manage.py bundle`` builds a reproducible zip from a commit, with only what runs, or refuses."""

import ast
import hashlib
import io
import json
import os
import re
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from beanstalk import bundle, bundle_check
from tests.support.bundles import GOOD, SECRET, WITH_SECRET, contents, git
from tests.support.bundles import built as built
from tests.support.bundles import clone as clone
from tests.support.bundles import origin as origin
from tictactoe_site import config
from tictactoe_site.config import BASE_DIR

pytestmark = pytest.mark.deployment


def test_bundle_is_valid_small_and_contains_only_what_runs(built: bytes) -> None:
    assert bundle_check.problems(built) == []
    assert len(built) < 1_000_000
    tops = {name.split("/")[0] for name in contents(built)}
    assert tops == {
        *("dynamodb", "tictactoe_site", "accounts", "beanstalk", "games", "templates"),
        *(".ebextensions", ".platform", "manage.py", "Procfile"),
        *("requirements.txt", "gunicorn.conf.py", "gunicorn.live.conf.py", "beanstalk.config", "LICENSE"),
    }
    for name in ("dynamodb/embedded.py", "games/management/commands/play.py", "beanstalk/bundle.py"):
        assert name not in contents(built)
    for name in ("games/live/worker.py", "games/static/games/site.css", "templates/games/game.html"):
        assert contents(built)[name] == (BASE_DIR / name).read_bytes()


def test_build_is_reproducible_from_another_clone(
    origin: Path, built: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clone has another folder, time zone, umask and modification times."""
    before = os.umask(0o077)
    try:
        git(origin, "clone", "--quiet", str(origin), str(tmp_path / "elsewhere"))
    finally:
        os.umask(before)
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1, 1))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert bundle.build(tmp_path / "elsewhere") == built
    finally:
        monkeypatch.undo()
        time.tzset()


def test_entries_are_sorted_with_fixed_times_and_modes(built: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(2026, 11, 24, 11, 34, 56)}  # the commit's, in UTC
    assert {entry.create_system for entry in entries} == {3}
    for entry in entries:
        assert entry.external_attr >> 16 == (0o100755 if "hooks/" in entry.filename else 0o100644), entry.filename


def test_bundled_modules_import_only_pinned_packages(built: bytes) -> None:
    own = {"dynamodb", "tictactoe_site", "accounts", "beanstalk", "games"}
    pinned = set(re.findall(r"^([a-z0-9-]+)==", contents(built)["requirements.txt"].decode(), re.MULTILINE))
    distributions = packages_distributions()
    for name, text in contents(built).items():
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(text)):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for root in {module.split(".")[0] for module in imported} - own - sys.stdlib_module_names:
                assert {found.lower() for found in distributions[root]} & pinned, f"{name} imports {root}"
            for module in imported:
                path = module.replace(".", "/")
                inside = {f"{path}.py", f"{path}/__init__.py"} & contents(built).keys()
                assert module.split(".")[0] not in own or inside, f"{name} imports {module}, which is left out"


# What makes the build refuse.


def untracked(root: Path) -> None:
    (root / "games" / "cheats.py").write_text("")


def staged(root: Path) -> None:
    (root / "games" / "cheats.py").write_text("")
    git(root, "add", "games/cheats.py")


def changed(root: Path) -> None:
    (root / "games" / "views.py").write_text("WIN = True\n")


def changed_unseen_by_git_status(root: Path) -> None:
    git(root, "update-index", "--assume-unchanged", "games/views.py")
    changed(root)


def changed_line_ends(root: Path) -> None:
    git(root, "config", "core.autocrlf", "true")
    path = root / "games" / "views.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def deleted(root: Path) -> None:
    (root / "games" / "views.py").unlink()


def linked(root: Path) -> None:
    (root / "games" / "views.py").unlink()
    (root / "games" / "views.py").symlink_to("/etc/hostname")
    git(root, "commit", "--quiet", "--all", "--message", "A link")


def configured(root: Path) -> None:
    (root / "beanstalk.config").write_bytes(WITH_SECRET)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (untracked, r"^games/cheats.py: not committed.*git add"),
        (staged, r"^games/cheats.py: not committed"),
        (changed, r"^games/views.py: changed, but not committed.*git restore"),
        (changed_unseen_by_git_status, r"^games/views.py: changed"),
        (changed_line_ends, r"^games/views.py: changed"),
        (deleted, r"^games/views.py: changed"),
        (linked, r"^games/views.py: an instance can't follow symbolic links"),
        (configured, r"^beanstalk.config: changed.*--config beanstalk.config"),
    ],
)
def test_uncommitted_change_is_refused(clone: Path, change: Callable[[Path], None], words: str) -> None:
    change(clone)
    with pytest.raises(bundle.BundleError, match=words):
        bundle.build(clone)


def test_clone_of_another_user_gets_gits_own_remedy(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for scope in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(scope, os.devnull)
    with pytest.raises(bundle.BundleError) as refused:
        bundle.build(clone)
    assert str(refused.value).endswith(f": run git config --global --add safe.directory {clone}")


def test_clone_with_crlf_setting_has_the_committed_bytes(clone: Path, built: bytes, tmp_path: Path) -> None:
    command = ["clone", "--quiet", "--config", "core.autocrlf=true", str(clone), str(tmp_path / "windows")]
    git(tmp_path, *command)
    assert bundle.build(tmp_path / "windows") == built


def test_changes_outside_bundle_are_ignored(clone: Path, built: bytes) -> None:
    (clone / "notes.txt").write_text("mine")
    Path(os.fsdecode(os.fsencode(clone) + b"/caf\xe9\n.txt")).write_text("in no encoding of ours")
    (clone / "docs" / "architecture.md").write_text("changed")
    (clone / "tests" / "test_rules.py").unlink()
    (clone / "games" / "__pycache__").mkdir()
    (clone / "games" / "__pycache__" / "rules.pyc").write_bytes(b"")
    (clone / ".secret_key").write_text("x" * 50)
    assert bundle.build(clone) == built


def test_long_list_of_uncommitted_files_is_shortened(clone: Path) -> None:
    for number in range(9):
        (clone / "games" / f"cheat{number}.py").write_text("")
    with pytest.raises(bundle.BundleError, match=r"cheat4\.py and 4 more: not committed"):
        bundle.build(clone)


def test_missing_git_repository_is_refused_with_advice(origin: Path, clone: Path, tmp_path: Path) -> None:
    shutil.rmtree(clone / ".git")
    with pytest.raises(bundle.BundleError, match="run this in a clone"):
        bundle.build(clone)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "Another project around it")
    with pytest.raises(bundle.BundleError, match=r"isn't the root of a git repository.*in a clone"):
        bundle.build(clone)


def test_operators_config_replaces_sample(clone: Path, built: bytes) -> None:
    """It does so even if the sample was edited in place, as the seed says, or removed."""
    configured(clone)
    mine = bundle.build(clone, WITH_SECRET)
    assert contents(mine) == contents(built) | {"beanstalk.config": WITH_SECRET}
    assert list(contents(mine)) == list(contents(built))
    (clone / "beanstalk.config").unlink()
    assert bundle.build(clone, WITH_SECRET) == mine


@pytest.fixture
def project(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the project that the command bundles, not to be changed; the current folder is an empty one elsewhere."""
    monkeypatch.setattr(config, "BASE_DIR", origin)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return origin


@pytest.fixture
def changeable(project: Path, clone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "BASE_DIR", clone)
    return clone


def names() -> list[str]:
    return [path.name for path in Path().iterdir()]


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("bundle", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_command_writes_zip_and_lists_contents(project: Path, built: bytes) -> None:
    out, err = run()
    assert Path("tictactoe.zip").read_bytes() == built
    assert names() == ["tictactoe.zip"]
    lines = out.splitlines()
    assert len(lines) == len(contents(built)) + 1
    assert f"{len(contents(built)['games/views.py']):8} games/views.py" in lines
    assert lines[-1].endswith(f"{len(built)} bytes, SHA-256 {hashlib.sha256(built).hexdigest()}")
    assert "secret_key" in err
    assert run("--check", "tictactoe.zip")[0].splitlines() == lines[-1:]


def test_json_output_describes_the_written_zip(project: Path, built: bytes) -> None:
    summary = json.loads(run("--json", "--output", "my.zip")[0])
    assert summary["sha256"] == hashlib.sha256(Path("my.zip").read_bytes()).hexdigest()
    assert (summary["file"], summary["bytes"], summary["written"]) == ("my.zip", len(built), True)
    assert summary["commit"] == git(project, "rev-parse", "HEAD").strip()
    assert {entry["name"]: entry["bytes"] for entry in summary["contents"]} == {
        name: len(data) for name, data in contents(built).items()
    }
    assert json.loads(run("--json", "--check", "my.zip")[0])["problems"] == []


def test_dry_run_writes_nothing(project: Path) -> None:
    out, err = run("--dry-run")
    assert "games/views.py" in out
    assert "Nothing was written" in err
    assert names() == []


def test_zip_with_secret_has_mode_600_and_secret_is_not_printed(project: Path) -> None:
    Path("mine.config").write_bytes(WITH_SECRET)
    out, err = run("--config", "mine.config")
    assert SECRET not in out + err
    assert err == ""
    assert contents(Path("tictactoe.zip").read_bytes())["beanstalk.config"] == WITH_SECRET
    assert Path("tictactoe.zip").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--config", "none.config"], 2, "none.config can't be read"),
        (["--config", "broken.config"], 2, r"broken.config: \[dynamodb\] region is 'Oregon'"),
        (["--config", "dummy.config"], 2, r"dummy.config: \[django\] secret_key is a placeholder"),
        (["--output", "none/my.zip"], 2, "none/my.zip can't be written"),
        (["--output", "."], 2, "can't be written"),
        (["--check", "none.zip"], 2, "none.zip can't be read"),
        (["--check", "."], 2, "can't be read"),
        (["--check", "old.zip", "--dry-run"], 2, "--check only reads"),
        (["--check", "old.zip"], 1, "old.zip isn't ready for Beanstalk: 1 problem"),
    ],
)
def test_refused_command_changes_no_files(project: Path, arguments: list[str], code: int, words: str) -> None:
    files = {"broken.config": GOOD.replace("us-west-2", "Oregon"), "old.zip": "old", "tictactoe.zip": "old"}
    files["dummy.config"] = WITH_SECRET.decode().replace("71d0", "example")
    for name, text in files.items():
        Path(name).write_text(text)
    with pytest.raises(CommandError, match=words) as refused:
        run(*arguments)
    assert refused.value.returncode == code
    assert {name: Path(name).read_text() for name in names()} == files


def test_uncommitted_change_exits_with_1(changeable: Path) -> None:
    changed(changeable)
    with pytest.raises(CommandError, match=r"games/views\.py: changed") as refused:
        run()
    assert refused.value.returncode == 1
    assert names() == []


def test_commit_with_invalid_procfile_makes_no_zip(changeable: Path) -> None:
    (changeable / "Procfile").write_text("web: gunicorn --bind 127.0.0.1:80 tictactoe_site.wsgi\n")
    git(changeable, "commit", "--quiet", "--all", "--message", "Another port")
    with pytest.raises(CommandError, match=r"Procfile: web must listen on port 8000.*process live is missing"):
        run()
    assert names() == []
