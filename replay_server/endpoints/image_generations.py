"""`POST /images/generations`. Wire facts: OpenAI's API description 2.3.0."""

from collections.abc import Callable, Mapping

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.image_models import images_wanted
from replay_server.endpoints.images_answer import ImagesAnswer
from replay_server.endpoints.openai import Fields, field_value, unless
from replay_server.interaction import ImagesWanted, Json, JsonObject, Request

IMAGE_SHAPE: Mapping[str, Callable[[JsonObject], Json]] = {
    "n": unless("n", 1),
    "size": unless("size", "auto"),
    "response_format": field_value("response_format"),
    "output_format": unless("output_format", "png"),
}
IMAGE_DEFAULTS: Mapping[str, Json] = {
    "n": 1,
    "size": "auto",
    "quality": "auto",
    "background": "auto",
    "moderation": "auto",
    "output_format": "png",
    "output_compression": 100,
    "partial_images": 0,
    "style": "vivid",
}


class ImageGenerations(ImagesAnswer):
    """Pictures of what a text says."""

    name = "images/generations"
    routes = (Route("POST", "/images/generations", "createImage", "Make images of a text"),)
    fields = Fields(prompt=("model", "prompt"), shape=IMAGE_SHAPE, defaults=IMAGE_DEFAULTS)

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        # Imported when an answer is made up: a replay never needs them.
        from replay_server.endpoints.description import request_schema
        from replay_server.endpoints.image_rules import check_images
        from replay_server.endpoints.validation import check

        check(request.body, request_schema("createImage"))
        check_images(request.body, self.model(request))

    def wanted(self, request: Request) -> ImagesWanted:
        """Pictures of the prompt."""
        return images_wanted(request.body, self.model(request))


RESOURCE: Resource = ImageGenerations()
