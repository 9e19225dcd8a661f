"""`POST /images/edits`: a form with images, or JSON that names them. Wire facts: OpenAI's API description 2.3.0."""

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.form_body import FormFields
from replay_server.endpoints.form_resource import FormResource
from replay_server.endpoints.image_generations import IMAGE_DEFAULTS, IMAGE_SHAPE
from replay_server.endpoints.image_models import images_wanted
from replay_server.endpoints.images_answer import ImagesAnswer
from replay_server.endpoints.openai import Fields
from replay_server.interaction import ImagesWanted, Request


class ImageEdits(ImagesAnswer, FormResource):
    """Pictures made of others, by what a text says."""

    name = "images/edits"
    routes = (Route("POST", "/images/edits", "createImageEdit", "Make images of images and a text"),)
    events = "image_edit"
    usual_model = "gpt-image-1.5"
    takes_json = True
    form = FormFields(
        files=frozenset({"image", "mask"}),
        integers=frozenset({"n", "output_compression", "partial_images"}),
        booleans=frozenset({"stream"}),
    )
    fields = Fields(prompt=("model", "prompt", "image", "images", "mask"), shape=IMAGE_SHAPE, defaults=IMAGE_DEFAULTS)

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        # Imported when an answer is made up: a replay never needs them.
        from replay_server.endpoints.description import request_schema
        from replay_server.endpoints.image_rules import check_images, check_uploads
        from replay_server.endpoints.validation import check

        if "images" in request.body:
            check(request.body, request_schema("createImageEdit"))
        else:
            self.check_form(request, "createImageEdit")
            check_uploads(request.body, ("image", "mask"), self.model(request))
        check_images(request.body, self.model(request))

    def wanted(self, request: Request) -> ImagesWanted:
        """Pictures of the prompt; those that were sent are paid for."""
        sent = [request.body[name] for name in ("image", "images", "mask") if name in request.body]
        count = sum(len(value) if isinstance(value, list) else 1 for value in sent)
        return images_wanted(request.body, self.model(request), count)


RESOURCE: Resource = ImageEdits()
