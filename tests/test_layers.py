"""The architecture's rules, read from the imports: who may know whom."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tictactoe_site.config import BASE_DIR

PACKAGES = ("dynamodb", "tictactoe_site", "games", "accounts")
MODULES = [path for package in PACKAGES for path in sorted((BASE_DIR / package).rglob("*.py"))]
# Calls that write: those of tictactoe_site.table, and PynamoDB's own.
WRITES = {"put", "update", "delete"}
PYNAMODB_WRITES = {"save", "batch_write", "delete_item", "put_item", "update_item", "transact_write_items"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers_of(module: str) -> set[str]:
    return {name_of(path) for path in MODULES if any(f"{name}.".startswith(f"{module}.") for name in imports(path))}


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 30


@pytest.mark.parametrize("module", ["games/rules.py", "accounts/names.py", "tictactoe_site/config.py"])
def test_the_innermost_modules_import_the_standard_library_only(module: str) -> None:
    roots = {name.split(".")[0] for name in imports(BASE_DIR / module)}
    assert roots <= sys.stdlib_module_names


@pytest.mark.parametrize("library", ["pynamodb", "botocore"])
def test_only_models_stores_queries_and_the_table_know_the_database(library: str) -> None:
    allowed = {f"games.{module}" for module in ("models", "queries", "records", "store", "writes")}
    allowed |= {"accounts.models", "tictactoe_site.table"}
    assert {name for name in importers_of(library) if not name.startswith("dynamodb.")} <= allowed


def test_views_know_nothing_of_tables() -> None:
    pages = sorted((BASE_DIR / "games/pages").glob("*.py"))
    for path in [
        *pages,
        *(BASE_DIR / module for module in ("games/views.py", "accounts/views.py", "games/responses.py")),
    ]:
        known = set(imports(path))
        assert not {name for name in known if name.startswith(("pynamodb", "botocore", "tictactoe_site.table"))}, path


def test_pages_know_nothing_of_http() -> None:
    for path in (BASE_DIR / "games/pages").glob("*.py"):
        assert not {name for name in imports(path) if name.startswith("django")}, path


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f"{ast.unparse(node.func.value)}.{node.func.attr}"


def test_only_the_stores_write() -> None:
    writers = {name_of(path) for path in MODULES if {f"conditional.{write}" for write in WRITES} & set(calls(path))}
    assert writers == {"games.store", "accounts.store", "games.records"}


def test_nobody_writes_past_the_conditional_writes() -> None:
    """Whatever the object: only put, update and delete of ``dynamodb.conditional`` are called by these names."""
    for path in MODULES:
        written = {call for call in calls(path) if call.rpartition(".")[2] in PYNAMODB_WRITES | WRITES}
        assert written <= {f"conditional.{write}" for write in WRITES}, path
        assert not {f"tictactoe_site.table.{write}" for write in WRITES} & set(imports(path)), path


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
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 28, f"{name_of(path)}.{node.name} has {length} lines"
