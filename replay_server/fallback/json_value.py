"""A value of a schema: what answers an operation of which nothing is known but its description."""

from replay_server.errors import ApiError
from replay_server.fallback.draw import Draw
from replay_server.fallback.schema import SchemaError, value
from replay_server.fallback.topic import topic_of
from replay_server.interaction import JsonReply, JsonWanted


def json_reply(wanted: JsonWanted, key: str) -> JsonReply:
    """Make up a value. Raises ApiError for a schema that has none: nothing that a client could mend."""
    try:
        return JsonReply(value=value(wanted.schema, Draw(key), topic_of(wanted.about)))
    except SchemaError as problem:
        raise ApiError(
            f"The description of this API has no answer to give: {problem}",
            status=501,
            type="server_error",
            code="unsatisfiable_schema",
        ) from None
