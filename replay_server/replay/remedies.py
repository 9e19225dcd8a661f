"""What would make a request match an interaction: only what is sure to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from replay_server.cassettes.agreement import ASKED_ONLY, OTHER, RECORDED_ONLY, SAME, Part
from replay_server.cassettes.config import FILE_NAME, WHOLE_BODY
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.nearest import Near
from replay_server.cassettes.volatile import added_rules, volatile_yaml
from replay_server.interaction import Json, JsonObject
from replay_server.keys import Difference, canonical_json


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do. `kind` is for programs; `paste` is text to be pasted, where there is some."""

    kind: str
    text: str
    paste: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.paste}" if self.paste else self.text


def remedies(library: Library, near: Near, asked: Keyed) -> tuple[Remedy, ...]:
    """What there is to say of one of the nearest interactions: its whole difference, in a word."""
    if not near.differences:
        return (_of_another_session(near),)
    tried = (_volatile(library, near, asked), _model(near, asked), _texts(near, asked))
    found = [remedy for remedy in tried if remedy is not None]
    return (*found, *_fields(library, near, asked), *_messages(near))


def of_other_endpoints(library: Library, asked: Keyed) -> Iterator[Remedy]:
    """Interactions of other endpoints that were asked the same."""
    candidate = next(library.neighbours.of_other_endpoints(asked), None)
    if candidate is not None:
        interaction = candidate.interaction
        yield Remedy(
            "endpoint",
            f"{interaction.id} was asked the same under {interaction.endpoint}: ask there, or record it for"
            f" {asked.request.endpoint} too",
        )


def _of_another_session(near: Near) -> Remedy:
    return Remedy(
        "session",
        f"{near.interaction.id} answers this, but not in this session: name {near.interaction.cassette} among its"
        " cassettes, or reset what was taken out",
    )


# Prompts -------------------------------------------------------------------------------------------------------------


def _volatile(library: Library, near: Near, asked: Keyed) -> Remedy | None:
    config = library.config
    found = added_rules(near.candidate, asked, config, near.differences)
    if found is None:
        return None
    added, rules = found
    names = " and ".join(rule.name for rule in added)
    return Remedy(
        "volatile", f"only a {names} differs; in {library.directory}/{FILE_NAME} this matches", volatile_yaml(rules)
    )


def _model(near: Near, asked: Keyed) -> Remedy | None:
    if [found.path for found in near.differences] != ["model"]:
        return None
    recorded = near.candidate.keyed.request.model
    return Remedy("model", f"only the model differs: ask {recorded!r}, or record it with {asked.request.model!r}")


_ALIKE: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("white space", lambda text: " ".join(text.split())),
    ("upper and lower case", str.casefold),
    ("white space, and upper and lower case", lambda text: " ".join(text.casefold().split())),
)


def _texts(near: Near, asked: Keyed) -> Remedy | None:
    """Texts that read the same."""
    if not all(isinstance(found.left, str) and isinstance(found.right, str) for found in near.differences):
        return None
    for what, reduced in _ALIKE:
        if all(reduced(str(found.left)) == reduced(str(found.right)) for found in near.differences):
            places = ", ".join(found.path for found in near.differences)
            return Remedy("spelling", f"only {what} differs, at {places}: ask as it was recorded")
    return None


# Fields --------------------------------------------------------------------------------------------------------------


def _fields(library: Library, near: Near, asked: Keyed) -> Iterator[Remedy]:
    """Where the prompt is the same: the fields that stand in the way."""
    if near.candidate.keyed.key != asked.key:
        return
    named = dict.fromkeys(_field(found) for found in near.differences)
    listed = [name for name in named if not _shapes(name, near, asked)]
    shaping = [name for name in named if _shapes(name, near, asked)]
    if listed:
        yield Remedy("match_on", f"the prompt is the same; {_because_listed(library, listed)}")
    if shaping:
        what = "; ".join(_shaped(name, near.candidate.keyed.shape.get(name), asked.shape.get(name)) for name in shaping)
        yield Remedy("shape", f"the prompt is the same, but not the shape of the answer: {what}")


def _field(found: Difference) -> str:
    return found.path.partition("[")[0].partition(".")[0]


def _shapes(name: str, near: Near, asked: Keyed) -> bool:
    return name in near.candidate.keyed.shape or name in asked.shape


def _because_listed(library: Library, names: Sequence[str]) -> str:
    where = f"{library.directory}/{FILE_NAME}"
    if library.config.match_on == (WHOLE_BODY,):
        return f"{', '.join(names)} must agree, as match_on: {WHOLE_BODY} in {where} says"
    return f"{', '.join(names)} must agree only because match_on in {where} lists {'it' if len(names) == 1 else 'them'}"


def _shaped(name: str, recorded: Json, asked: Json) -> str:
    if isinstance(recorded, list) and isinstance(asked, list) and name in ("tools", "functions"):
        return ", ".join(_tools(_named(recorded), _named(asked))) or f"{name} come in another order"
    if recorded is None:
        return f"{name} is asked, and was not when it was recorded"
    return f"{name} was recorded, and is not asked" if asked is None else f"{name} is another"


def _named(tools: list[Json]) -> dict[str, Json]:
    return {str(tool.get("name")) if isinstance(tool, dict) else str(tool): tool for tool in tools}


def _tools(recorded: JsonObject, asked: JsonObject) -> Iterator[str]:
    for name in dict.fromkeys((*recorded, *asked)):
        if name not in asked:
            yield f"tool {name} was recorded, and is not asked"
        elif name not in recorded:
            yield f"tool {name} is asked, and was not when it was recorded"
        elif canonical_json(recorded[name]) != canonical_json(asked[name]):
            yield f"tool {name} has other parameters"


# Messages ------------------------------------------------------------------------------------------------------------


def _messages(near: Near) -> Iterator[Remedy]:
    """Items of a list that one side lacks, where all others agree."""
    unequal = [part for part in near.parts if part.sign != SAME]
    if not unequal or any(part.sign == OTHER or part.place is None for part in unequal):
        return
    recorded, asked = _only(unequal, RECORDED_ONLY), _only(unequal, ASKED_ONLY)
    if _moved(near):
        yield Remedy(
            "order",
            f"the same {unequal[0].field} in another order: asked at {_places(asked)}, recorded at {_places(recorded)}",
        )
        return
    if asked:
        yield Remedy("added", f"asked with {_places(asked)} more: all else is the same")
    if recorded:
        yield Remedy("removed", f"asked without the recorded {_places(recorded)}: all else is the same")


def _only(parts: Sequence[Part], sign: str) -> list[Part]:
    return [part for part in parts if part.sign == sign]


def _places(parts: Sequence[Part]) -> str:
    return ", ".join(f"{part.name} ({part.role})" if part.role else part.name for part in parts)


def _moved(near: Near) -> bool:
    """Whether what is only recorded is also what is only asked."""
    sides = ([found.left for found in near.differences], [found.right for found in near.differences])
    recorded, asked = (sorted(canonical_json(value) for value in side if _there(value)) for side in sides)
    return recorded == asked


def _there(value: object) -> bool:
    return isinstance(value, dict | list | str | int | float)
