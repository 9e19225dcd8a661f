"""JSON as text: compact as the live API writes arguments and structured answers, or indented as it answers JSON mode.

`json` and not `orjson`: a schema may ask for an integer of any size.
"""

import json

from replay_server.interaction import Json


def compact(value: Json) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def readable(value: Json) -> str:
    """JSON with an indent of two."""
    return json.dumps(value, ensure_ascii=False, indent=2)
