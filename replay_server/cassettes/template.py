"""Texts of a response with places for values of the request, `{{ city }}`.

The language is Jinja's, in its sandbox, and only the part of it whose time and size are bounded by the text itself: no
loops, no variables, no calls, no filter that makes much of little. So no template of a pull request can hang a server,
and there is nothing in it that tells the time or throws dice. The library is loaded when a cassette has a template.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

import orjson

from replay_server.interaction import Json

VALUES = ("model", "last_user", "system", "turn", "request", "arguments", "tool_result", "header")
"""What every request has; the named groups of a matcher come to these."""

LONGEST_TEXT = 1_000_000
"""Characters that a text may be long when it is filled."""
_LONGEST_TEMPLATE = 20_000
_DEEPEST = 30
_REMEMBERED = 10_000
_OPENINGS = ("{{", "{%", "{#")
_WHOLE = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)


class BadTemplate(Exception):
    """A text that is no template here, or one that cannot be filled with these values."""


def has_places(value: Json) -> bool:
    """Whether a text is a template, or anything below a list or a mapping is."""
    if isinstance(value, str):
        return any(opening in value for opening in _OPENINGS)
    members = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return any(map(has_places, members))


def check_template(text: str, names: frozenset[str]) -> None:
    """Raise BadTemplate for what cannot be filled with values of these names."""
    import jinja2

    if len(text) > _LONGEST_TEMPLATE:
        raise BadTemplate(f"is longer than {_LONGEST_TEMPLATE} characters")
    try:
        _check_node(_environment().parse(text), names)
    except jinja2.TemplateSyntaxError as error:
        raise BadTemplate(f"cannot be read: {error.message} ({_RAW})") from None
    except RecursionError:
        raise BadTemplate(_TOO_DEEP) from None


_RAW = "a text that holds {{ or {% as such stands between {% raw %} and {% endraw %}"
_TOO_DEEP = "is nested too deep"


def fill(text: str, values: Mapping[str, Any], *, as_json: bool) -> Json:
    """The text with values in its places. `as_json`: one that is nothing but a place becomes the value itself.

    Raises BadTemplate.
    """
    import jinja2

    try:
        expression = _whole(text) if as_json else None
        filled: Json = _text(text).render(values) if expression is None else _plain(expression(values))
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise BadTemplate(str(error) or type(error).__name__) from None
    if isinstance(filled, str) and len(filled) > LONGEST_TEXT:
        raise BadTemplate(f"makes a text of more than {LONGEST_TEXT} characters")
    return filled


@cache
def _environment() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        """Where values have members and no methods, and `*` and `%` are of numbers: of a text they make any length."""

        intercepted_binops = frozenset({"*", "%"})

        def getitem(self, obj: Any, argument: Any) -> Any:
            """`a[b]`."""
            try:
                return obj[argument]
            except (LookupError, TypeError):
                return self.undefined(hint=f"there is no {argument!r} in it")

        def getattr(self, obj: Any, attribute: str) -> Any:
            """`a.b` is a['b']: a method shown as a text would tell where it lies in memory."""
            return self.getitem(obj, attribute)

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            """Called for these operators."""
            if not (isinstance(left, int | float) and isinstance(right, int | float)):
                raise TypeError(f"{operator} is of two numbers")
            return super().call_binop(context, operator, left, right)

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, finalize=_shown)
    environment.globals.clear()  # a range, a dice and the like
    filters = environment.filters
    environment.filters = {name: filters[name] for name in _FILTERS} | {"join": _join, "tojson": _json}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    return environment


# What makes no more of a text than there is, or little more. `random` and its like are not here.
_FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "first", "float", "int", "last", "length", "list", "lower"),
    *("max", "min", "sort", "string", "title", "trim", "upper", "urlencode", "wordcount"),
)
_TESTS = (
    *("defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping"),
    *("sequence", "iterable", "lower", "upper", "even", "odd", "divisibleby", "in", "eq", "ne", "lt", "le", "gt", "ge"),
)


@lru_cache(_REMEMBERED)
def _text(text: str) -> Any:
    return _environment().from_string(text)


@lru_cache(_REMEMBERED)
def _whole(text: str) -> Callable[[Mapping[str, Any]], Any] | None:
    """The expression of a text that is one place and nothing else."""
    body = _environment().parse(text).body
    whole = _WHOLE.fullmatch(text)
    if whole is None or len(body) != 1 or len(getattr(body[0], "nodes", ())) != 1:
        return None
    compiled: Callable[[Mapping[str, Any]], Any] = _environment().compile_expression(whole[1], undefined_to_none=False)
    return compiled


def _plain(value: Any) -> Json:
    """The value of a place, which must be JSON. Raises TypeError, and UndefinedError where there is none."""
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        str(value)  # raises, and says what is not there
    plain: Json = orjson.loads(orjson.dumps(value))
    return plain


def _shown(value: Any) -> Any:
    """How a value stands in a text: what is neither text nor number, as JSON."""
    return orjson.dumps(value).decode() if isinstance(value, bool | list | dict) or value is None else value


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _join(values: Any, separator: str = "") -> str:
    texts = [str(_shown(value)) for value in values]
    if sum(map(len, texts)) + len(texts) * len(separator) > LONGEST_TEXT:
        raise ValueError(f"join makes a text of more than {LONGEST_TEXT} characters")
    return separator.join(texts)


# What there is of the language ---------------------------------------------------------------------------------------

_NODES = frozenset(
    {
        *("Template", "Output", "TemplateData", "If", "CondExpr", "Name", "Const", "List", "Tuple", "Dict", "Pair"),
        *("Getattr", "Getitem", "Slice", "Filter", "Keyword", "Test", "Compare", "Operand", "And", "Or", "Not"),
        *("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Neg", "Pos", "Concat"),
    }
)
_WORDS = {"For": "for", "Assign": "set", "AssignBlock": "set", "Call": "a call", "Pow": "**", "Macro": "macro"}


def _check_node(node: Any, names: frozenset[str], depth: int = 0) -> None:
    kind = type(node).__name__
    if kind not in _NODES:
        raise BadTemplate(f"uses {_WORDS.get(kind, kind.lower())}: there are values, filters and if, no more")
    if depth > _DEEPEST:
        raise BadTemplate(_TOO_DEEP)
    if kind in _NAMED:
        known = {"Name": names, "Filter": _environment().filters, "Test": _environment().tests}[kind]
        if node.name not in known:
            raise BadTemplate(f"has no {_NAMED[kind]} {node.name}; known here: {', '.join(sorted(known))}")
    for child in node.iter_child_nodes():
        _check_node(child, names, depth + 1)


_NAMED = {"Name": "value", "Filter": "filter", "Test": "test"}
