"""Matchers that can never answer, as another that goes before them answers whatever they would.

Found where it can be decided without trying requests: each condition of the other follows from one of theirs. A
pattern follows from the same pattern and from a text that has it; no more is said of what patterns have in common.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from replay_server.cassettes.conditions import TEXT_FIELDS, model_test, text_holds
from replay_server.cassettes.linear_regex import is_glob
from replay_server.cassettes.matchers import Atom, Matcher, MatcherIndex
from replay_server.conditions import Conditions, JsonTest, TextTest, Turns
from replay_server.keys import canonical_json


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A matcher that never answers, and the one that does. `same`: their conditions cannot be told apart."""

    matcher: Matcher
    by: Matcher
    same: bool


def shadowed(index: MatcherIndex) -> Iterator[Shadowed]:
    """The matchers of an endpoint that never answer."""
    for place, matcher in enumerate(index.matchers):
        for earlier in _rivals(index, matcher):
            other = index.matchers[earlier]
            if earlier < place and follows(other.given, matcher.given):
                yield Shadowed(matcher, other, follows(matcher.given, other.given))
                break


def _rivals(index: MatcherIndex, matcher: Matcher) -> Sequence[int]:
    """The places of matchers that could follow: the index answers as for a request of the texts that it wants."""
    atoms = [(field, test) for of, test in matcher.atoms for field in _heard_as(of)]
    places = set(index.candidates(_sample(atoms)))
    places.update(place for atom in atoms for place in index.by_atom.get(atom, ()))
    return sorted(places)


def _sample(atoms: Sequence[Atom]) -> Mapping[str, Sequence[str]]:
    return {field: [test.text for of, test in atoms if of == field and test.kind != "regex"] for field in TEXT_FIELDS}


def _heard_as(field: str) -> tuple[str, ...]:
    """What the user says last is a message too; what the system says may be several."""
    return (field, "any_message") if field == "last_user" else (field,)


# Following -----------------------------------------------------------------------------------------------------------


def follows(wide: Conditions, narrow: Conditions) -> bool:
    """Whether every request that `narrow` holds for is one that `wide` holds for, as far as can be told."""
    return (
        _model_follows(wide.model, narrow.model)
        and _text_follows(wide.last_user, [narrow.last_user])
        and _text_follows(wide.system, [narrow.system])
        and _text_follows(wide.any_message, [narrow.any_message, narrow.last_user])
        and wide.has_tool_result in (None, narrow.has_tool_result)
        and _turns_follow(wide.turn, narrow.turn)
        and _json_follows(wide.json, narrow.json)
        and all(_text_follows(test, [narrow.header.get(name)]) for name, test in wide.header.items())
        and (wide.schema is None or _same_schema(wide, narrow))
    )


def _model_follows(wide: str | None, narrow: str | None) -> bool:
    if wide is None or wide == narrow:
        return True
    return narrow is not None and not is_glob(narrow) and text_holds(model_test(wide), narrow)


def _text_follows(wide: TextTest | None, narrow: Sequence[TextTest | None]) -> bool:
    return wide is None or any(test is not None and _test_follows(wide, test) for test in narrow)


def _test_follows(wide: TextTest, narrow: TextTest) -> bool:
    if wide == narrow:
        return True
    if narrow.kind == "equals":
        return text_holds(wide, narrow.text)
    return wide.kind == narrow.kind == "contains" and wide.text in narrow.text


def _turns_follow(wide: Turns | None, narrow: Turns | None) -> bool:
    if wide is None or (wide.least == 0 and wide.most is None):
        return True
    if narrow is None or narrow.least < wide.least:
        return False
    return wide.most is None or (narrow.most is not None and narrow.most <= wide.most)


def _json_follows(wide: Sequence[JsonTest], narrow: Sequence[JsonTest]) -> bool:
    # As JSON: == alone takes true for 1.
    return {canonical_json(test) for test in wide} <= {canonical_json(test) for test in narrow}


def _same_schema(wide: Conditions, narrow: Conditions) -> bool:
    return canonical_json(wide.schema) == canonical_json(narrow.schema)
