"""Advice for the operator: the parts of error messages that name a project's own commands and configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Advice:
    """The parts of this package's messages that a project can replace: pass your own to ``items.bind``.

    ``consequences`` maps botocore's name of an action to a clause that says what breaks if a policy refuses it.
    """

    make_table: str = "create it"
    correct_table: str = "correct the region or the name"
    correct_endpoint: str = "correct the region or the endpoint"
    allow_action: str = "allow it in the role's policy"
    make_table_elsewhere: str = "Or create the table with credentials that allow it."
    other_table: str = "This table can't be used: choose another."
    index_missing: str = "Queries fail: create the index, or choose another table."
    index_lacks: str = "Queries lack these attributes: recreate the index, or choose another table."
    index_projects_all: str = "It works, but each write of any other attribute costs an extra unit in each index."
    set_ttl: str = "call UpdateTimeToLive"
    consequences: Mapping[str, str] = field(default_factory=dict)
