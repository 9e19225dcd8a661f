"""JMESPath expressions of cassettes, on the bodies of requests. The library is loaded when a cassette has one."""

from collections.abc import Iterator
from typing import Any

from replay_server.interaction import Json, JsonObject

_LONGEST = 1_000
_MOST_LISTED = 16
"""Members of all lists and mappings that an expression makes: each may double what the next step looks through."""


class BadPath(Exception):
    """A text that is no expression here."""


class JsonPath:
    """An expression, ready to search with. Raises BadPath."""

    def __init__(self, expression: str) -> None:
        import jmespath

        if len(expression) > _LONGEST:
            raise BadPath(f"it is longer than {_LONGEST} characters")
        try:
            self._parsed = jmespath.compile(expression)
            nodes = list(_nodes(self._parsed.parsed))
        except jmespath.exceptions.JMESPathError as error:
            raise BadPath(" ".join(str(error).split())) from None
        except RecursionError:
            raise BadPath("it is nested too deep") from None
        _check(nodes)

    def find(self, body: JsonObject) -> Json:
        """What the expression finds; null where it means nothing for this body."""
        import jmespath

        try:
            found: Json = self._parsed.search(body)
        except (jmespath.exceptions.JMESPathError, ArithmeticError, TypeError, ValueError):
            return None  # a function that is given another type than it takes
        return found


def is_true(found: Json) -> bool:
    """Whether JMESPath takes a value for true: all but null, false, and what is empty."""
    return found is not None and found is not False and found not in ("", [], {})


def _check(nodes: list[Any]) -> None:
    from jmespath.functions import Functions

    for node in nodes:
        if node["type"] == "function_expression" and node["value"] not in Functions.FUNCTION_TABLE:
            raise BadPath(f"there is no function {node['value']}")
    made = (node for node in nodes if node["type"] in ("multi_select_list", "multi_select_dict"))
    if sum(len(node["children"]) for node in made) > _MOST_LISTED:
        raise BadPath(f"it makes lists of more than {_MOST_LISTED} members")


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)
