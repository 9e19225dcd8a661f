"""Bytes of an upstream as they stand in a cassette under `raw`: as text where they are UTF-8, else in base64."""

import base64

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import known, required
from replay_server.interaction import Json, JsonObject


def write_raw(data: bytes) -> Json:
    """A text, or `{base64: …}`."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def read_raw(fields: JsonObject) -> bytes:
    """The bytes of the field `raw`. Raises BadField."""
    raw = fields["raw"]
    if isinstance(raw, str):
        return raw.encode()
    if not isinstance(raw, dict):
        raise BadField(("raw",), f"must be a text or a mapping with base64, not {raw!r}")
    try:
        known(raw, ("base64",))
        return base64.b64decode(required(raw, "base64", str), validate=True)
    except BadField as error:
        raise error.below("raw") from None
    except ValueError as error:
        raise BadField(("raw", "base64"), f"is not base64: {error}") from None
