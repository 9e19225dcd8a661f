"""The JSON style of a recorded body: how the upstream spaced, escaped and ended it."""

import json
from dataclasses import dataclass

import orjson

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import optional
from replay_server.interaction import Json, JsonObject

_SPACINGS: dict[str, tuple[int | None, tuple[str, str]]] = {
    "compact": (None, (",", ":")),
    "spaced": (None, (", ", ": ")),
    "indent 2": (2, (",", ": ")),
    "indent 4": (4, (",", ": ")),
}
_WORDS = (*_SPACINGS, "ascii", "newline")


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """`spacing`: compact, spaced, indent 2 or indent 4; `ascii`: escapes all else; `newline`: ends with one."""

    spacing: str = "compact"
    ascii: bool = False
    newline: bool = False

    @classmethod
    def read(cls, text: str) -> "JsonStyle":
        """Read `indent 2, ascii, newline`. Raises ValueError for another word."""
        words = [word.strip() for word in text.split(",")]
        for word in words:
            if word not in _WORDS:
                raise ValueError(f"{word!r} is none of {', '.join(_WORDS)}")
        spacings = [word for word in words if word in _SPACINGS]
        if len(spacings) > 1:
            raise ValueError(f"{spacings[0]!r} and {spacings[1]!r} cannot both be")
        return cls(spacings[0] if spacings else "compact", "ascii" in words, "newline" in words)

    @classmethod
    def detect(cls, body: bytes, value: Json) -> "JsonStyle | None":
        """The style in which `value` is written as exactly these bytes, None where no style does that."""
        newline = body.endswith(b"\n")
        styles = (cls(spacing, escapes, newline) for spacing in _SPACINGS for escapes in (False, True))
        return next((style for style in styles if style.dump(value) == body), None)

    def __str__(self) -> str:
        """The words that `read` takes, without the default's."""
        words = {self.spacing: self.spacing != "compact", "ascii": self.ascii, "newline": self.newline}
        return ", ".join(word for word, said in words.items() if said)

    def dump(self, value: Json) -> bytes:
        """The JSON text of `value` in this style."""
        return self._text(value) + (b"\n" if self.newline else b"")

    def _text(self, value: Json) -> bytes:
        if not self.ascii and self.spacing == "compact":
            return orjson.dumps(value)
        indent, separators = _SPACINGS[self.spacing]
        return json.dumps(value, indent=indent, separators=separators, ensure_ascii=self.ascii).encode()


def read_style(fields: JsonObject) -> JsonStyle:
    """The style that the field `style` names, compact where there is none. Raises BadField."""
    try:
        return JsonStyle.read(optional(fields, "style", str) or "compact")
    except ValueError as error:
        raise BadField(("style",), str(error)) from None
