"""Which operation of an API a path means: literal segments go before parameters, whatever order they stand in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from replay_server.endpoints.described.api import Described

_PATHS_REMEMBERED = 1024
_NAME = re.compile(r"\{([^{}/]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A path with parameters; `operations` are those of each method: of several, one is told by its query."""

    path: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    operations: Mapping[str, tuple[Described, ...]]

    def parameters(self, path: str) -> dict[str, str] | None:
        """Those of a path, None where it is another."""
        found = self.pattern.fullmatch(path)
        return dict(zip(self.names, found.groups(), strict=True)) if found else None


class Routing:
    """The paths of an API."""

    def __init__(self, operations: Iterable[Described]) -> None:
        by_path: dict[str, dict[str, tuple[Described, ...]]] = {}
        for each in operations:
            methods = by_path.setdefault(each.path.rstrip("/") or "/", {})
            methods[each.method] = (*methods.get(each.method, ()), each)
        self.templates = {path: _template(path, methods) for path, methods in by_path.items()}
        self._by_length: dict[int, list[Template]] = {}
        for template in sorted(self.templates.values(), key=_vagueness):
            self._by_length.setdefault(template.path.count("/"), []).append(template)
        self.find = lru_cache(_PATHS_REMEMBERED)(self._find)
        """The template that a path fits best, with the path's parameters; None: there is none."""

    def _find(self, path: str) -> tuple[Template, dict[str, str]] | None:
        path = path.rstrip("/") or "/"
        for template in self._by_length.get(path.count("/"), ()):
            if (parameters := template.parameters(path)) is not None:
                return template, parameters
        return None


def is_parameter(segment: str) -> bool:
    """Whether a segment is a parameter and nothing else."""
    return _NAME.fullmatch(segment) is not None


def filled(template: str, parameters: Mapping[str, str]) -> str | None:
    """The path of a template with these parameters; None where one is missing."""
    names = _NAME.findall(template)
    if not all(parameters.get(name) for name in names):
        return None
    return _NAME.sub(lambda found: parameters[found[1]], template)


def _template(path: str, methods: Mapping[str, tuple[Described, ...]]) -> Template:
    pieces = _NAME.split(path)
    texts = [re.escape(piece) if place % 2 == 0 else "([^/]+)" for place, piece in enumerate(pieces)]
    return Template(path, re.compile("".join(texts)), tuple(pieces[1::2]), methods)


def _vagueness(template: Template) -> list[int]:
    """Sorts the templates that say most of a path first."""
    return [0 if "{" not in segment else 1 if not is_parameter(segment) else 2 for segment in template.path.split("/")]
