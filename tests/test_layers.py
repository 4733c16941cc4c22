"""The rules of the structure that import-linter (pyproject.toml) can't see: strings, calls, words and lengths."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tictactoe_site.config import BASE_DIR

PACKAGES = ("dynamodb", "tictactoe_site", "accounts", "beanstalk", "games")
MODULES = [path for package in PACKAGES for path in sorted((BASE_DIR / package).rglob("*.py"))]
# Calls that write: those of dynamodb.conditional, and PynamoDB's own.
WRITES = {"put", "update", "delete"}
PYNAMODB_WRITES = {"save", "batch_write", "delete_item", "put_item", "update_item", "transact_write_items"}
# What dynamodb must not speak of: it knows no game, no page, no command and no configuration file.
FOREIGN_WORDS = re.compile(r"game|player|lobby|\bmoves?\b|page|manage\.py|CONFIG_FILE|readyz|django", re.IGNORECASE)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 30


def test_imports_go_one_way() -> None:
    """`make lint` says the same; here it is part of every test run, quick ones included."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", ["games/rules/board.py", "accounts/names.py", "tictactoe_site/config.py"])
def test_the_innermost_modules_import_the_standard_library_only(module: str) -> None:
    roots = {name.split(".")[0] for name in imports(BASE_DIR / module)}
    assert roots <= sys.stdlib_module_names


def named_in_strings() -> Iterator[str]:
    """The modules and classes that settings, addresses and gunicorn name in strings, where no linter sees them."""
    yield from settings.MIDDLEWARE
    yield settings.CSRF_FAILURE_VIEW
    yield settings.WSGI_APPLICATION
    yield from settings.PASSWORD_HASHERS
    for path in (BASE_DIR / "gunicorn.conf.py", BASE_DIR / "gunicorn.live.conf.py"):
        yield from (name for name in re.findall(r'worker_class = "([\w.]+)"', path.read_text()) if "." in name)


IMPORT_ALL = """
import sys, django
django.setup()
from django.utils.module_loading import import_string
for name in sys.argv[1:]:
    import_string(name)
"""


def test_what_is_named_in_a_string_can_be_imported() -> None:
    """In a process of its own: importing the WSGI application starts the site."""
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "tictactoe_site.settings", "CONFIG_FILE": ""}
    command = [sys.executable, "-c", IMPORT_ALL, *named_in_strings()]
    done = subprocess.run(command, cwd=BASE_DIR, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_apps_and_included_addresses_can_be_imported() -> None:
    included = re.findall(r'include\("([\w.]+)"\)', (BASE_DIR / "tictactoe_site/urls.py").read_text())
    assert included == ["accounts.urls", "games.urls"]
    for name in (*settings.INSTALLED_APPS, *included):
        __import__(name)


def test_dynamodb_speaks_of_nothing_that_is_ours() -> None:
    for path in sorted((BASE_DIR / "dynamodb").glob("*.py")):
        found = [line for line in path.read_text().splitlines() if FOREIGN_WORDS.search(line)]
        assert found == ALLOWED.get(path.name, []), path


# The package's own docstring says that it imports no Django.
ALLOWED = {
    "__init__.py": ["Nothing here knows what the items are, and nothing imports Django: copy the folder into another"]
}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f"{ast.unparse(node.func.value)}.{node.func.attr}"


def test_only_the_stores_write() -> None:
    writers = {name_of(path) for path in MODULES if {f"conditional.{write}" for write in WRITES} & set(calls(path))}
    assert writers == {"games.storage.store", "accounts.store", "games.storage.records"}


def test_nobody_writes_past_the_conditional_writes() -> None:
    """Whatever the object: only put, update and delete of ``dynamodb.conditional`` are called by these names."""
    for path in MODULES:
        written = {call for call in calls(path) if call.rpartition(".")[2] in PYNAMODB_WRITES | WRITES}
        assert written <= {f"conditional.{write}" for write in WRITES}, path
        assert not {f"dynamodb.conditional.{write}" for write in WRITES} & set(imports(path)), path


def test_only_config_reads_the_environment() -> None:
    environment = {"os.environ", "os.getenv"}
    readers = {name_of(path) for path in MODULES if environment & {*names_used(path), *imports(path)}}
    # The others say where Django finds its settings, and read nothing.
    assert readers == {"tictactoe_site.config", "tictactoe_site.asgi", "tictactoe_site.wsgi"}


def names_used(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute | ast.Name):
            yield ast.unparse(node)


def test_functions_and_views_stay_short() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 28, f"{name_of(path)}.{node.name} has {length} lines"
