"""How deep the smallest value of a schema is nested: what leads recursion to an end, and tells where there is none."""

from collections.abc import Mapping
from math import inf
from typing import Any, cast

from replay_server.interaction import Json
from replay_server.schema.pointer import references, resolve
from replay_server.schema.problem import Schema


class Heights:
    """The heights of a schema and of all that lies in it. Infinite: no value ever ends."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._known: dict[str, float] = {}
        targets = {reference: resolve(root, reference) for reference in references(cast("Json", root))}
        self._known = dict.fromkeys(targets, inf)
        # Each round settles at least one more reference; when a round settles none, the rest is infinite.
        while (found := {name: self.of(target) for name, target in targets.items()}) != self._known:
            self._known = found
        self.recursive = any(_leads_back(name, targets) for name in targets)
        """Whether a reference leads to itself, so that values can be of any depth."""

    def of(self, schema: Schema) -> float:
        """The height of a schema that lies in the root."""
        if isinstance(schema, bool):
            return 0 if schema else inf
        given = cast("Mapping[str, Any]", schema)
        heights = [self._known.get(given["$ref"], inf)] if "$ref" in given else []
        heights += [self.of(part) for part in given.get("allOf", ())]
        heights += [min(map(self.of, given[keyword])) for keyword in ("anyOf", "oneOf") if keyword in given]
        return max([*heights, self._own(given)])

    def _own(self, schema: Mapping[str, Any]) -> float:
        names = schema.get("type", ())
        if "const" in schema or "enum" in schema or (names and not {"object", "array"}.issuperset(_listed(names))):
            return 0
        properties = schema.get("properties", {})
        inner = [self.of(properties[name]) for name in schema.get("required", ()) if name in properties]
        if schema.get("minItems", 0) > 0:
            inner += map(
                self.of, [*schema.get("prefixItems", ()), schema.get("items", True)][: int(schema["minItems"])]
            )
        return 1 + max(inner, default=0) if inner or "array" not in _listed(names) else 0


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def _leads_back(start: str, targets: Mapping[str, Schema]) -> bool:
    seen: dict[str, None] = {}
    waiting = list(references(cast("Json", targets[start])))
    while waiting:
        if (name := waiting.pop()) == start:
            return True
        if name not in seen:
            seen[name] = None
            waiting += references(cast("Json", targets[name]))
    return False
