"""What a project tells its operator to do: the clauses that name its own commands and configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Advice:
    """Clauses that complete this package's sentences; a project gives its own to ``items.bind``.

    ``consequences`` says what does not work where an action is refused, by botocore's name for the action.
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
