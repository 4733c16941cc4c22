"""Rules of the code structure that import-linter (pyproject.toml) can't check: strings, calls, words and lengths."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tictactoe_site.config import BASE_DIR

PACKAGES = ("dynamodb", "tictactoe_site", "accounts", "beanstalk", "games")
MODULES = [path for package in PACKAGES for path in sorted((BASE_DIR / package).rglob("*.py"))]
# Functions that write: those of dynamodb.conditional, and PynamoDB's.
WRITES = {"put", "update", "delete"}
PYNAMODB_WRITES = {"save", "batch_write", "delete_item", "put_item", "update_item", "transact_write_items"}
# Words that dynamodb must not use: it knows no games, pages, commands or configuration file.
FOREIGN_WORDS = re.compile(r"game|player|lobby|\bmoves?\b|page|manage\.py|\bCONFIG_FILE|readyz|django", re.IGNORECASE)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_modules_are_found() -> None:
    assert len(MODULES) > 30


def test_import_linter_passes() -> None:
    """`make lint` checks this too; here it runs with the tests, including `make quick`."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", ["games/rules/board.py", "accounts/names.py", "tictactoe_site/config.py"])
def test_innermost_modules_import_only_standard_library(module: str) -> None:
    found = set(imports(BASE_DIR / module))
    # What a region is, and which endpoint is in it, is botocore's knowledge.
    ours = {name for name in found if name.startswith("dynamodb.endpoints.") and module == "tictactoe_site/config.py"}
    assert {name.split(".")[0] for name in found - ours} <= sys.stdlib_module_names


def named_in_strings() -> Iterator[str]:
    """Yield the modules and classes that settings and gunicorn name in strings, where no linter sees them."""
    yield from settings.MIDDLEWARE
    yield settings.CSRF_FAILURE_VIEW
    yield settings.WSGI_APPLICATION
    yield from settings.PASSWORD_HASHERS
    options: Any = settings.TEMPLATES[0]["OPTIONS"]
    yield options["environment"]
    for path in (BASE_DIR / "gunicorn.conf.py", BASE_DIR / "gunicorn.live.conf.py"):
        yield from (name for name in re.findall(r'worker_class = "([\w.]+)"', path.read_text()) if "." in name)


IMPORT_ALL = """
import sys, django
django.setup()
from django.utils.module_loading import import_string
for name in sys.argv[1:]:
    import_string(name)
"""


def test_dotted_names_in_strings_can_be_imported() -> None:
    """Run a separate process, because importing the WSGI application starts the site."""
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "tictactoe_site.settings", "CONFIG_FILE": ""}
    command = [sys.executable, "-c", IMPORT_ALL, *named_in_strings()]
    done = subprocess.run(command, cwd=BASE_DIR, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_installed_apps_and_included_urls_can_be_imported() -> None:
    included = re.findall(r'include\("([\w.]+)"\)', (BASE_DIR / "tictactoe_site/urls.py").read_text())
    assert included == ["accounts.urls", "games.urls"]
    for name in (*settings.INSTALLED_APPS, *included):
        __import__(name)


def test_dynamodb_package_never_mentions_the_application() -> None:
    for path in sorted((BASE_DIR / "dynamodb").glob("*.py")):
        found = [line for line in path.read_text().splitlines() if FOREIGN_WORDS.search(line)]
        assert found == ALLOWED.get(path.name, []), path


# The package's docstring mentions Django to say that nothing imports it.
ALLOWED = {
    "__init__.py": ["Nothing here knows what the items are, and nothing imports Django: copy the folder into another"]
}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f"{ast.unparse(node.func.value)}.{node.func.attr}"


def test_only_stores_make_conditional_writes() -> None:
    writers = {name_of(path) for path in MODULES if {f"conditional.{write}" for write in WRITES} & set(calls(path))}
    assert writers == {"games.storage.store", "accounts.store", "accounts.throttle", "games.storage.records"}


def test_no_module_writes_without_dynamodb_conditional() -> None:
    """A method with one of these names may only be put, update or delete of ``dynamodb.conditional``."""
    for path in MODULES:
        written = {call for call in calls(path) if call.rpartition(".")[2] in PYNAMODB_WRITES | WRITES}
        written -= {"Player.blocked.delete"}  # takes an element out of a set: part of an update
        assert written <= {f"conditional.{write}" for write in WRITES}, path
        assert not {f"dynamodb.conditional.{write}" for write in WRITES} & set(imports(path)), path


def test_only_config_reads_environment() -> None:
    environment = {"os.environ", "os.getenv"}
    readers = {name_of(path) for path in MODULES if environment & {*names_used(path), *imports(path)}}
    # asgi and wsgi set DJANGO_SETTINGS_MODULE, and read nothing; embedded passes the environment on to its server.
    assert readers == {"tictactoe_site.config", "tictactoe_site.asgi", "tictactoe_site.wsgi", "dynamodb.embedded"}


def names_used(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute | ast.Name):
            yield ast.unparse(node)


def test_functions_have_at_most_28_lines() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 28, f"{name_of(path)}.{node.name} has {length} lines"
