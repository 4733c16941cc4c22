"""Advice for the operator: the parts of error messages that name a project's own commands and configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Advice:
    """The parts of this package's messages that a project can replace: pass your own to ``items.bind``.

    ``consequences`` maps botocore's name of an action to a clause that says what breaks if a policy refuses it.
    """

    make_table: str = "create it"
    correct_table: str = "if it is in another region or has another name, correct that"
    correct_endpoint: str = "correct the region or the endpoint"
    allow_action: str = "allow it in the policy of the role in use"
    make_table_elsewhere: str = "Or create the table with credentials that may."
    other_table: str = "This table can't be used: name another."
    index_missing: str = "Queries fail: create the index, or name another table."
    index_lacks: str = "Queries lack these attributes: create the index anew, or name another table."
    index_projects_all: str = "It works, and each write of another attribute costs a unit more in each index."
    set_ttl: str = "update the table's TTL"
    consequences: Mapping[str, str] = field(default_factory=dict)
