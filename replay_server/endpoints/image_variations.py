"""`POST /images/variations`: a form with an image. Wire facts: OpenAI's API description 2.3.0."""

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.form_body import FormFields
from replay_server.endpoints.form_resource import FormResource
from replay_server.endpoints.image_generations import IMAGE_DEFAULTS, IMAGE_SHAPE
from replay_server.endpoints.image_models import images_wanted
from replay_server.endpoints.images_answer import ImagesAnswer
from replay_server.endpoints.openai import Fields
from replay_server.interaction import ImagesWanted, JsonObject, Request


class ImageVariations(ImagesAnswer, FormResource):
    """Pictures like another one."""

    name = "images/variations"
    routes = (Route("POST", "/images/variations", "createImageVariation", "Make images like an image"),)
    both_modes = False
    form = FormFields(files=frozenset({"image"}), integers=frozenset({"n"}))
    fields = Fields(prompt=("model", "image"), shape=IMAGE_SHAPE, defaults=IMAGE_DEFAULTS)

    def streams(self, body: JsonObject) -> bool:
        """Never: there is no parameter that asks for a stream."""
        return False

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        from replay_server.endpoints.image_rules import check_images, check_uploads  # a replay never needs them

        self.check_form(request, "createImageVariation")
        check_uploads(request.body, ("image",), self.model(request))
        check_images(request.body, self.model(request))

    def wanted(self, request: Request) -> ImagesWanted:
        """Pictures, whatever the other one shows."""
        return images_wanted(request.body, self.model(request))


RESOURCE: Resource = ImageVariations()
