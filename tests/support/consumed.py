"""Record this process's DynamoDB requests and their cost, from ConsumedCapacity."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Meter:
    """DynamoDB requests and the units they consumed."""

    calls: list[tuple[str, float]] = field(default_factory=list)

    def note(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", {})
        each = consumed if isinstance(consumed, list) else [consumed]
        self.calls.append((model.name, sum(part.get("CapacityUnits", 0) for part in each)))

    @property
    def operations(self) -> list[str]:
        return [name for name, _ in self.calls]

    def units(self, *operations: str) -> float:
        return sum(units for name, units in self.calls if name in operations)
