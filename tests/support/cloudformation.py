"""The deployment template as CloudFormation evaluates it for given parameters."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cfnlint.decode import decode  # type: ignore[import-untyped]

from tests.support.iam import ACCOUNT, REGION
from tictactoe_site.config import BASE_DIR

PATH = BASE_DIR / "beanstalk" / "tictactoe.yaml"
NEEDED = {"Bucket": "bundles", "Key": "site.zip", "Subdomain": "play"}
AWS = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
CHINA = {"AWS::Region": "cn-north-1", "AWS::Partition": "aws-cn", "AWS::URLSuffix": "amazonaws.com.cn"}
NO_VALUE = object()


def written() -> dict[str, Any]:
    """Return the template with its functions in the long form, unresolved."""
    template, mistakes = decode(str(PATH))
    assert not mistakes, mistakes
    return dict(template)


class Stack:
    """The template with its functions resolved. References to other resources stay ``{"Ref": name}``."""

    def __init__(self, **values: str) -> None:
        self._template = written()
        # To CloudFormation all parameters are text, even numbers.
        declared = self._template["Parameters"].items()
        defaults = {name: str(parameter["Default"]) for name, parameter in declared if "Default" in parameter}
        self._values = AWS | defaults | NEEDED | values
        resources = dict(self._expanded(self._template["Resources"], {}))
        self.resources = {
            name: self.resolve(resource)
            for name, resource in resources.items()
            if self._holds(resource.get("Condition", ""))
        }

    def properties(self, name: str) -> dict[str, Any]:
        return dict(self.resources[name]["Properties"])

    def of_type(self, kind: str) -> dict[str, Any]:
        return {name: each["Properties"] for name, each in self.resources.items() if each["Type"] == f"AWS::{kind}"}

    def refuses(self) -> list[str]:
        """Return the descriptions of the template's rules that the parameters violate."""
        return [
            assertion["AssertDescription"]
            for rule in self._template["Rules"].values()
            if self.resolve(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self.resolve(assertion["Assert"])
        ]

    def resolve(self, node: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::Sub": self._sub,
            "Fn::If": lambda parts: self.resolve(parts[1] if self._holds(parts[0]) else parts[2]),
            "Fn::Equals": lambda sides: self.resolve(sides[0]) == self.resolve(sides[1]),
            "Fn::Not": lambda parts: not self.resolve(parts[0]),
        }
        match node:
            case Mapping() if len(node) == 1 and next(iter(node)) in functions:
                [(name, argument)] = node.items()
                return functions[name](argument)
            case Mapping():
                pairs = ((str(key), self.resolve(value)) for key, value in node.items())
                return {key: value for key, value in pairs if value is not NO_VALUE}
            case list():
                return [value for value in map(self.resolve, node) if value is not NO_VALUE]
        return node

    def _holds(self, condition: str) -> bool:
        return not condition or bool(self.resolve(self._template["Conditions"][condition]))

    def _ref(self, name: str) -> Any:
        return NO_VALUE if name == "AWS::NoValue" else self._values.get(name, {"Ref": str(name)})

    def _sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        values = self._values | {name: str(self.resolve(value)) for name, value in own.items()}
        return re.sub(r"\$\{([\w:]+)\}", lambda found: values[found[1]], text)

    def _expanded(self, resources: Mapping[str, Any], loops: dict[str, str]) -> Iterator[tuple[str, Any]]:
        """Yield the resources with Fn::ForEach expanded."""
        for name, body in resources.items():
            if name.startswith("Fn::ForEach::"):
                variable, values, inner = body
                for value in values:
                    yield from self._expanded(inner, {**loops, variable: value})
            else:
                yield _replaced(name, loops), _replaced(body, loops)


def _replaced(node: Any, loops: dict[str, str]) -> Any:
    match node:
        case str():
            for variable, value in loops.items():
                node = node.replace(f"${{{variable}}}", value)
            return node
        case Mapping():
            return {key: _replaced(value, loops) for key, value in node.items()}
        case list():
            return [_replaced(value, loops) for value in node]
    return node
