"""Check the documents: run every command in them, and look for every file they link to."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import Session

from tests.rehearsal.bundles import Repository
from tests.support.engines import free_port
from tests.support.sites import only_one_plays
from tictactoe_site.config import BASE_DIR

pytestmark = pytest.mark.process

ROOT = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = [*(BASE_DIR / name for name in ROOT), *sorted((BASE_DIR / "docs").glob("*.md"))]


def commands(language: str) -> list[tuple[str, str]]:
    """Return (document, line) for each line of the code blocks in that language."""
    blocks = [(path, re.findall(rf"```{language}\n(.*?)```", path.read_text(), re.DOTALL)) for path in DOCUMENTS]
    return [(path.name, line) for path, found in blocks for block in found for line in block.strip().splitlines()]


COMMANDS = commands("sh")
# These need an AWS account, so instead of running them we compare them with botocore's service models.
ON_AWS = commands("console")
# High-level commands of the AWS CLI, which no service model has.
COMPOSED = ("aws s3 mb", "aws s3 cp", "aws s3 rb", "aws cloudformation deploy")
# These run this very test, or change the work tree: only `make -n` here. CI runs the first for real.
NOT_FROM_HERE = {
    *(
        "make test",
        "make quick",
        "make reliability",
        "make fuzz",
        "make rehearse",
        "make format",
        "make requirements",
        "make bundle",
        "make mutants",
        "make pythons",
    )
}


def test_documents_contain_commands() -> None:
    assert len(COMMANDS) > 8
    assert len(ON_AWS) > 8


@pytest.mark.parametrize(("document", "command"), ON_AWS, ids=[command[:60] for _, command in ON_AWS])
def test_documented_aws_command_matches_service_model(document: str, command: str) -> None:
    tool, service, operation, *rest = shlex.split(command)
    if tool == "eb" or command.startswith(COMPOSED):
        return
    if operation == "wait":
        waiters = {xform_name(name, "-") for name in Session().get_waiter_model(service).waiter_names}
        assert rest[0] in waiters
        return
    model = Session().get_service_model(service)
    operations = {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}
    shape = operations[operation].input_shape
    assert shape
    given = {word.removeprefix("--").removeprefix("no-") for word in rest if word.startswith("--")} - {"query"}
    known = {xform_name(name, "-") for name in shape.members}
    assert {xform_name(name, "-") for name in shape.required_members} <= given <= known


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository with everything committed, because bundles are made from commits only."""
    folder = Repository(tmp_path_factory.mktemp("documents") / "repository").folder
    (folder / ".venv").symlink_to(BASE_DIR / ".venv")
    shutil.copy(folder / "beanstalk.config", folder / "my.config")  # the operator's edited copy
    return folder


@pytest.fixture
def environ(engine: str, tmp_path: Path) -> dict[str, str]:
    """Return an environment whose CONFIG_FILE names the engine's table, for the documented commands to use."""
    path = tmp_path / "site.config"
    path.write_text(f"[dynamodb]\nregion = us-west-2\nendpoint = {engine}\n")
    return {key: value for key, value in os.environ.items() if not key.startswith("MAKE")} | {"CONFIG_FILE": str(path)}


@pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")
@pytest.mark.parametrize(("document", "command"), COMMANDS, ids=[command for _, command in COMMANDS])
def test_documented_command_works(
    document: str, command: str, environ: dict[str, str], engine: str, copy: Path
) -> None:
    if command.startswith("make run"):
        with only_one_plays():
            check_it_plays(command, environ, engine)
        return
    if command in NOT_FROM_HERE:
        command = command.replace("make", "make -n")
    folder = BASE_DIR if command.startswith("make") else copy
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=folder, env=environ, timeout=120, check=False
    )
    assert done.returncode == 0, f"{document}: {command}\n{done.stdout}{done.stderr}"


def check_it_plays(command: str, environ: dict[str, str], engine: str) -> None:
    """Check that the command serves, on the engine instead of AWS or DynamoDB Local's usual port."""
    command = command.replace("http://127.0.0.1:8000", engine).replace("beanstalk.config", environ.pop("CONFIG_FILE"))
    with subprocess.Popen(
        f"exec {command} PORT={free_port()}",
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=BASE_DIR,
        env=environ,
        start_new_session=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Playing at http://127.0.0.1:")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (out, err) == ("", "")


def links() -> list[tuple[str, Path, str]]:
    """Return (document, file, anchor) for each link to a file of this repository or to a heading; either may be ""."""
    pattern = re.compile(r"\]\((?!http)([^)#]*)#?([^)]*)\)")
    found = [(path, target, anchor) for path in DOCUMENTS for target, anchor in pattern.findall(path.read_text())]
    return [(path.name, path.parent / target if target else path, anchor) for path, target, anchor in found]


LINKS = links()
TO_HEADINGS = [link for link in LINKS if link[2]]


def test_documents_contain_links() -> None:
    assert len(LINKS) > 40
    assert len(TO_HEADINGS) > 10


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives the document's headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("document", "file", "anchor"), LINKS)
def test_linked_file_exists(document: str, file: Path, anchor: str) -> None:
    assert file.exists(), f"{document} links to {file}"


def test_each_promise_of_security_is_shown_by_a_test() -> None:
    text = (BASE_DIR / "docs" / "security.md").read_text()
    promises = text.partition("## What is promised")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (?!promise|---).*$", promises, re.MULTILINE):
        shown = re.findall(r"`(test_\w+)\.(test_\w+)`", row)
        assert shown, row
        for module, test in shown:
            assert f"def {test}(" in (BASE_DIR / "tests" / f"{module}.py").read_text(), test


def test_each_dependency_has_a_line() -> None:
    text = (BASE_DIR / "docs" / "dependencies.md").read_text().casefold()
    wanted = "\n".join((BASE_DIR / name).read_text() for name in ("requirements.in", "requirements-play.in")).casefold()
    names = re.findall(r"^[a-z][\w-]+", wanted, re.MULTILINE)
    assert len(names) > 8
    assert [name for name in names if not re.search(rf"^\| ([\w-]+, )?{name}\b", text, re.MULTILINE)] == []


@pytest.mark.parametrize(("document", "file", "anchor"), TO_HEADINGS)
def test_linked_heading_exists(document: str, file: Path, anchor: str) -> None:
    assert anchor in anchors(file), f"{document} links to {file}#{anchor}"


def test_architecture_names_every_package_and_inner_module() -> None:
    text = (BASE_DIR / "docs" / "architecture.md").read_text()
    for package in ("dynamodb", "tictactoe_site", "accounts", "beanstalk", "games"):
        assert f"**`{package}/`**" in text, package
    for folder in ("dynamodb", "games/storage", "games/rules"):
        for module in sorted((BASE_DIR / folder).glob("[a-z]*.py")):
            assert f"`{module.name}`" in text or module.name == "errors.py", module


def test_make_help_lists_targets() -> None:
    done = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=BASE_DIR, check=True)
    for target in (
        "run",
        "test",
        "quick",
        "dynamodb-local",
        "reliability",
        "rehearse",
        "bench-live",
        "lint",
        "requirements",
    ):
        assert f"make {target} " in done.stdout


@pytest.mark.parametrize("name", ["requirements", "requirements-play", "requirements-dev", "requirements-mutants"])
def test_requirements_are_pinned_with_hashes_and_name_no_host(name: str) -> None:
    text = (BASE_DIR / f"{name}.txt").read_text()
    assert "://" not in text
    assert "index-url" not in text
    pins = re.findall(r"^[a-z0-9][^ ]*", text, re.MULTILINE)
    assert pins
    assert all("==" in pin for pin in pins)
    assert text.count("\n    --hash=sha256:") >= len(pins)


@pytest.mark.parametrize("part", ["javascript", "observatory"])
def test_npm_packages_are_pinned_by_hashes_and_name_no_host(part: str) -> None:
    lock = json.loads((BASE_DIR / f"tests/{part}/package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    for package in packages:
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package
