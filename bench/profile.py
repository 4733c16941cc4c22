"""Where the CPU time of a request goes: each package's share of the time within its own functions.

Built-in functions count for the package that calls them. Waiting for a socket or a lock takes no CPU and isn't counted.
"""

import pstats
from collections import Counter
from cProfile import Profile
from pathlib import Path

from tictactoe_site.config import BASE_DIR

WAITING = ("recv_into", "'poll'", "'acquire'", "'put' of '_queue", "'wait'")
# The first that is part of the file's path counts; the names of ours come before.
PACKAGES = {
    "templates/": "our templates",
    "jinja2/": "Jinja",
    "markupsafe/": "Jinja",
    "django/": "Django",
    "whitenoise/": "Django",
    "pynamodb/": "PynamoDB",
    "botocore/": "botocore",
    "urllib3/": "botocore",
}
OURS, STANDARD_LIBRARY = "our code", "standard library"
Function = tuple[str, int, str]


def package_of(function: Function) -> str:
    path = function[0]
    if path.startswith(str(BASE_DIR)) and ".venv" not in path:
        return PACKAGES["templates/"] if "/templates/" in path else OURS
    return next((name for part, name in PACKAGES.items() if f"/{part}" in path), STANDARD_LIBRARY)


def shares(profile: Profile) -> dict[str, float]:
    """Return the percentages by package, the largest first."""
    seconds: Counter[str] = Counter()
    for function, (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if any(word in function[2] for word in WAITING) or Path(function[0]).name in ("inprocess.py", "cpu.py"):
            continue
        if function[0] != "~":
            seconds[package_of(function)] += own
        for caller, (_, _, within, _) in callers.items() if function[0] == "~" else ():
            seconds[package_of(caller)] += within
    whole = seconds.total()
    return {name: part / whole * 100 for name, part in seconds.most_common()}
