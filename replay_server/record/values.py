"""`for_each`: one entry of a script for each combination of values, which stand in its texts as `{{ name }}`."""

import re
from collections.abc import Iterator
from itertools import product

import orjson

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import optional
from replay_server.interaction import Json, JsonObject

_PLACE = re.compile(r"\{\{ *([A-Za-z_][A-Za-z0-9_]*) *\}\}")


def expand(entry: JsonObject) -> Iterator[JsonObject]:
    """The entries that `for_each` makes of one, in the order of its values. Raises BadField."""
    lists = optional(entry, "for_each", dict)
    if lists is None:
        yield entry
        return
    template = {name: value for name, value in entry.items() if name != "for_each"}
    _check(lists, template)
    for values in product(*lists.values()):
        filled = _filled(template, dict(zip(lists, values, strict=True)))
        yield _told_apart(filled if isinstance(filled, dict) else {}, template, values)


def _check(lists: JsonObject, template: JsonObject) -> None:
    used = set(_places(dict(template)))
    for name, values in lists.items():
        if not isinstance(values, list) or not values:
            raise BadField(("for_each", name), "must be a list of values")
        if name not in used:
            raise BadField(("for_each", name), f"is never used: put {{{{ {name} }}}} into a text, or remove it")
    for name in sorted(used - lists.keys()):
        raise BadField((), f"{{{{ {name} }}}} has no values: add {name} to for_each")


def _places(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PLACE.findall(value)
    members = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    for member in members:
        yield from _places(member)


def _filled(value: Json, values: dict[str, Json]) -> Json:
    if isinstance(value, str):
        return _filled_text(value, values)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {name: _filled(member, values) for name, member in value.items()}
    return value


def _filled_text(text: str, values: dict[str, Json]) -> Json:
    """A text that is nothing but a place becomes the value itself: `temperature: "{{ t }}"` is a number."""
    if whole := _PLACE.fullmatch(text):
        return values[whole[1]]
    return _PLACE.sub(lambda place: _shown(values[place[1]]), text)


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _told_apart(entry: JsonObject, template: JsonObject, values: tuple[Json, ...]) -> JsonObject:
    """The entry with its values in its name, where its writer has not put them there."""
    name = template.get("name")
    if not isinstance(name, str) or _PLACE.search(name):
        return entry
    return {**entry, "name": f"{name} ({', '.join(map(_shown, values))})"}
