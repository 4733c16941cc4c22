"""Break the code in many small ways, run the tests on each, and list the breaks that no test notices.

cosmic-ray makes the mutants, in clones of the commit: all of the rules and of Match, and a seeded sample of the code
that uses the table. bench/mutants.txt explains the survivors that change nothing that anybody could notice. The exit
code is 1 if others survive.
"""

import argparse
import os
import random
import shlex
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.site import machine
from tictactoe_site.config import BASE_DIR

EXPLAINED = BASE_DIR / "bench/mutants.txt"
TOOL = BASE_DIR / ".venv/cosmic-ray/bin"
# In annotations, | is no operator. Enum members and None are singletons, so == and "is" are the same for them. Nobody
# would write < for "is", or >> for +.
LEFT_OUT = [
    "core/ReplaceBinaryOperator_BitOr_.*",
    "core/ReplaceBinaryOperator_.*_(BitOr|BitAnd|BitXor|LShift|RShift|Pow|FloorDiv|Mod)",
    "core/ReplaceUnaryOperator_.*_Invert",
    "core/ReplaceComparisonOperator_(Is_Eq|IsNot_NotEq|Eq_Is|NotEq_IsNot)",
    "core/ReplaceComparisonOperator_Is(Not)?_(Lt|LtE|Gt|GtE)",
]
CONFIG = """
[cosmic-ray]
module-path = {modules}
excluded-modules = []
timeout = 600.0
test-command = "{tests}"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = {left_out}
"""


@dataclass(frozen=True)
class Target:
    """The modules to break, the tests that should notice, and how many mutants to draw; 0 takes all."""

    modules: tuple[str, ...]
    tests: str
    number: int = 0


STORAGE = "store expressions conflicts queries lobby records limits"
TESTS = (
    "store moves invitations limits rematch endings guests lobby history players match aws_example capacity state"
    " computer commands model any_table account renaming conflicts"
)
TARGETS = {
    "rules": Target(
        ("games/rules", "games/match.py"), "tests/test_rules.py tests/test_match.py tests/test_computer.py"
    ),
    "storage": Target(
        tuple(f"games/storage/{name}.py" for name in STORAGE.split()),
        "-m 'not browser and not process' -k 'not dynamodb_local' "
        + " ".join(f"tests/test_{name}.py" for name in TESTS.split()),
        150,
    ),
}


class Session:
    """A clone of the commit, and cosmic-ray's database of the mutants that are tested in it."""

    def __init__(self, folder: Path, target: Target) -> None:
        self.folder = folder
        self.database = folder / "mutants.sqlite"
        subprocess.run(["git", "clone", "--quiet", BASE_DIR, folder], check=True)
        tests = f"{sys.executable} -m pytest -x -q -p no:cacheprovider {target.tests}"
        values = {"modules": list(target.modules), "tests": tests, "left_out": LEFT_OUT}
        (folder / "mutants.toml").write_text(CONFIG.format(**values))
        self.check(tests)
        self.run("cosmic-ray init mutants.toml mutants.sqlite")
        self.run("cr-filter-operators mutants.sqlite mutants.toml")

    def check(self, tests: str) -> None:
        """Run the tests on the unbroken code, which also leaves its bytecode. The mutants leave none.

        Bytecode is taken for current if the source's size is the same, and the second of its last change: so would be
        that of another mutant.
        """
        writing = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        if subprocess.run(shlex.split(tests), cwd=self.folder, env=writing, stdout=sys.stderr).returncode:
            sys.exit("These tests must pass before the code is broken.")

    def run(self, command: str) -> None:
        program, *arguments = shlex.split(command)
        reading = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([TOOL / program, *arguments], cwd=self.folder, env=reading, check=True, capture_output=True)

    def query(self, sql: str) -> list[tuple[str, ...]]:
        with sqlite3.connect(self.database) as database:
            return database.execute(sql).fetchall()

    def mutants(self) -> list[str]:
        """Return the ids of the mutants that nobody has tested yet, in the order of the code."""
        found = self.query(
            "SELECT job_id FROM mutation_specs WHERE job_id NOT IN (SELECT job_id FROM work_results)"
            " ORDER BY module_path, start_pos_row, start_pos_col, operator_name, occurrence"
        )
        return [job for (job,) in found]

    def keep(self, indexes: set[int]) -> None:
        """Drop all mutants but these, which are numbered in the order of the code."""
        dropped = [job for index, job in enumerate(self.mutants()) if index not in indexes]
        with sqlite3.connect(self.database) as database:
            for table in ("mutation_specs", "work_items"):
                database.executemany(f"DELETE FROM {table} WHERE job_id = ?", [(job,) for job in dropped])

    def execute(self) -> None:
        self.run("cosmic-ray exec mutants.toml mutants.sqlite")

    def survivors(self) -> list[str]:
        """Return a line for each: the file, and its line before and after."""
        found = self.query(
            "SELECT module_path, diff FROM mutation_specs JOIN work_results USING (job_id)"
            " WHERE test_outcome = 'SURVIVED' ORDER BY module_path, start_pos_row"
        )
        return [f"{path}: {_change(diff)}" for path, diff in found]


def _change(diff: str) -> str:
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    before, after = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign) and line[1:].strip()) for sign in "-+"
    )
    return f"{before}  =>  {after}"


def test(target: Target, seed: int, folder: Path) -> tuple[int, list[str]]:
    """Return the number of mutants, and the survivors. As many clones as there are cores share the work."""
    sessions = [Session(folder / str(number), target) for number in range(os.cpu_count() or 1)]
    count = len(sessions[0].mutants())
    chosen = random.Random(seed).sample(range(count), min(target.number or count, count))
    for number, session in enumerate(sessions):
        session.keep(set(chosen[number :: len(sessions)]))
    with ThreadPoolExecutor() as pool:
        list(pool.map(Session.execute, sessions))
    return len(chosen), sorted(line for session in sessions for line in session.survivors())


def explanations() -> dict[str, str]:
    """Return why a survivor is none, by its line. In the file, the reason is the line below, after a #."""
    lines = EXPLAINED.read_text().splitlines()
    return {line: why.removeprefix("# ") for line, why in pairwise(lines) if why.startswith("# ")}


def is_explained(survivor: str, known: dict[str, str]) -> bool:
    """Whether the file has the line, or its first half followed by ``=>  *``, which explains each change of it.

    The * before keyword arguments is no operator.
    """
    before, _, after = survivor.partition("  =>  ")
    keywords = before.partition(": ")[2] == after.replace("/,", "*,")
    return survivor in known or f"{before}  =>  *" in known or keywords


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=__doc__)
    parser.add_argument("--only", choices=TARGETS, help="what to break (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default 1)")
    chosen = parser.parse_args()
    known = explanations()
    unexplained = 0
    print(f"seed {chosen.seed}; {machine()}", flush=True)
    for name in [chosen.only] if chosen.only else TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            number, survivors = test(TARGETS[name], chosen.seed, Path(folder))
        new = [line for line in survivors if not is_explained(line, known)]
        unexplained += len(new)
        print(f"{name}: {number} mutants, {len(survivors)} survive, {len(new)} of them unexplained", flush=True)
        print("".join(f"{line}\n" for line in new), end="", flush=True)
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
