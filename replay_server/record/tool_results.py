"""What a script gives for the tools that a model calls."""

from collections import Counter

import orjson

from replay_server.interaction import JsonObject


class ToolResults:
    """The results of tools: one value for every call of a tool, or a list with one for each."""

    def __init__(self, results: JsonObject) -> None:
        self._results = results
        self._given: Counter[str] = Counter()

    def next(self, tool: str) -> str | None:
        """The next result of a tool, as text; None where there is none."""
        value = self._results.get(tool)
        if isinstance(value, list):
            value = value[self._given[tool]] if self._given[tool] < len(value) else None
            self._given[tool] += 1
        return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
