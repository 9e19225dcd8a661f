"""The live API's words for each fault of a request, with the `param` and `code` that go with them."""

from collections.abc import Sequence

from replay_server.errors import BadRequest
from replay_server.interaction import Json

_SHOWN = 20


def missing(path: str) -> BadRequest:
    """A required parameter is not there."""
    return BadRequest(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")


def unknown(path: str, near: Sequence[str] = ()) -> BadRequest:
    """A parameter that the API does not have; `near` are those that it could be a slip of."""
    hint = f" Did you mean {any_of(near)}?" if near else ""
    return BadRequest(f"Unknown parameter: '{path}'.{hint}", param=path, code="unknown_parameter")


def wrong_type(path: str, expected: str, value: Json) -> BadRequest:
    """A value of a type that the parameter does not take."""
    return BadRequest(
        f"Invalid type for '{path}': expected {expected}, but got {type_name(value)} instead.",
        param=path,
        code="invalid_type",
    )


def unsupported(path: str, value: str, supported: Sequence[str]) -> BadRequest:
    """A string that is none of those the parameter takes."""
    return BadRequest(
        f"Invalid value: '{abbreviated(value)}'. Supported values are: {listed(supported, 'and')}.",
        param=path,
        code="invalid_value",
    )


def out_of_bounds(path: str, kind: str, side: str, bound: str, value: float) -> BadRequest:
    """A number beyond its bound: `kind` is integer or decimal, `side` above or below, `bound` such as `<= 2`."""
    extreme = "maximum" if side == "above" else "minimum"
    return BadRequest(
        f"Invalid '{path}': {kind} {side} {extreme} value. Expected a value {bound}, but got {number(value)} instead.",
        param=path,
        code=f"{kind}_{side}_{extreme[:3]}_value",
    )


def empty(path: str, kind: str, minimum: int) -> BadRequest:
    """An empty array or string."""
    article = "an" if kind == "array" else "a"
    return BadRequest(
        f"Invalid '{path}': empty {kind}. Expected {article} {kind} with minimum length {minimum}, "
        f"but got an empty {kind} instead.",
        param=path,
        code=f"empty_{kind}",
    )


def wrong_length(path: str, kind: str, side: str, bound: int, length: int) -> BadRequest:
    """An array or string that is too long (`above`) or too short (`below`)."""
    article, extreme = "an" if kind == "array" else "a", "maximum" if side == "above" else "minimum"
    return BadRequest(
        f"Invalid '{path}': {kind} too {'long' if side == 'above' else 'short'}. "
        f"Expected {article} {kind} with {extreme} length {bound}, "
        f"but got {article} {kind} with length {length} instead.",
        param=path,
        code=f"{kind}_{side}_{extreme[:3]}_length",
    )


def no_match(path: str, pattern: str) -> BadRequest:
    """A string that its pattern does not match."""
    return BadRequest(
        f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '{pattern}'.",
        param=path,
        code="invalid_value",
    )


def too_many_properties(path: str, bound: int, count: int) -> BadRequest:
    """An object with more properties than it may have."""
    return BadRequest(
        f"Invalid '{path}': too many properties. Expected an object with at most {bound} properties, "
        f"but got an object with {count} properties instead.",
        param=path,
        code="object_above_max_properties",
    )


def long_property_name(path: str, name: str, bound: int) -> BadRequest:
    """An object with a property whose name is too long."""
    return BadRequest(
        f"Invalid property name in '{path}': '{abbreviated(name)}' is too long. "
        f"Expected a string with maximum length {bound}, but got a string with length {len(name)} instead.",
        param=f"{path}.{name}",
        code="property_name_above_max_length",
    )


def type_name(value: Json) -> str:
    """What a refusal calls the type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def any_of(values: Sequence[str]) -> str:
    """`'a'`, `'a' or 'b'`, `'a', 'b', or 'c'`."""
    return listed(values, "or")


def listed(values: Sequence[str], word: str) -> str:
    """The values in quotes, with `word` before the last: English, with the serial comma."""
    return joined([f"'{value}'" for value in values], word)


def joined(parts: Sequence[str], word: str) -> str:
    """The parts with `word` before the last, and commas where there are more than two."""
    if len(parts) < 3:
        return f" {word} ".join(parts)
    return f"{', '.join(parts[:-1])}, {word} {parts[-1]}"


def abbreviated(text: str) -> str:
    """The API repeats no long text of a request: `kkk...kkk`."""
    return text if len(text) <= _SHOWN else f"{text[:3]}...{text[-3:]}"


def number(value: float) -> str:
    """A number as JSON has it, integral ones without a fraction."""
    return str(int(value)) if float(value).is_integer() else repr(value)
