"""What the live moderations API refuses."""

from replay_server.endpoints import refusals
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.moderation_request import inputs
from replay_server.endpoints.validation import check
from replay_server.errors import BadRequest
from replay_server.interaction import JsonObject

_MOST_IMAGES = 1


def check_moderation(body: JsonObject) -> None:
    """Raise the BadRequest that the live API answers with, if it refuses the request."""
    check(body, request_schema("createModeration"))
    if body["input"] == []:
        raise refusals.empty("input", "array", 1)
    images = sum(len(judged.images) for judged in inputs(body["input"]))
    if images > _MOST_IMAGES:
        message = f"Number of images ({images}) exceeds maximum of {_MOST_IMAGES}"
        raise BadRequest(message, param="input", code="too_many_images")
