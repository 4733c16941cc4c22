"""``dynamodb/`` is reusable: copied alone into an empty project, it works with a model it has never seen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tictactoe_site.config import BASE_DIR

# On moto only: nothing here depends on the engine, and the project starts its own server.
# It creates a table, makes conditional writes, and loses a race.
PROJECT = """
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from dynamodb import client, conditional, embedded, items, provisioning


class ByOwner(GlobalSecondaryIndex["Shelf"]):
    class Meta:
        index_name = "by-owner"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)


class Shelf(items.TableItem):
    number = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute()
    books = NumberAttribute(default=0)
    by_owner = ByOwner()


with embedded.process() as address:
    items.bind(table="Library", region="eu-west-1", endpoint=address, credentials=("local", "local"))
    print("created", *(provisioning.create(lambda line: None)[0] for _ in "12"))
    client.warm_up()
    conditional.put(Shelf("1", owner="ann", books=3), Shelf.number.does_not_exist())
    try:
        conditional.put(Shelf("1", owner="bob"), Shelf.number.does_not_exist())
    except conditional.ConditionFailed as lost:
        found = Shelf.from_raw_data(lost.item)
        print("lost to", found.owner, found.books)
    after = conditional.update(Shelf("1"), [Shelf.books.add(1)], Shelf.books == 3)
    print("now", Shelf.from_raw_data(after).books, [shelf.owner for shelf in Shelf.by_owner.query("ann")])
import sys
print("django" in sys.modules)
"""


@pytest.mark.process
def test_package_works_alone_in_another_project(tmp_path: Path) -> None:
    """Run a separate process: ``TableItem.__subclasses__()`` is global, and includes our models in this one."""
    shutil.copytree(BASE_DIR / "dynamodb", tmp_path / "dynamodb", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "project.py").write_text(PROJECT)
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "AWS", "PYTHONPATH"))
    }
    done = subprocess.run(
        [sys.executable, "project.py"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["created True False", "lost to ann 3", "now 4 ['ann']", "False"], done.stderr


@pytest.mark.process
def test_schema_without_models_says_to_import_them(tmp_path: Path) -> None:
    shutil.copytree(BASE_DIR / "dynamodb", tmp_path / "dynamodb", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", "from dynamodb import schema; schema.request()"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "LookupError: No imported model has an index: import the project's models first." in done.stderr
