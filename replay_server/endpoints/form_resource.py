"""What resources share whose requests are forms with files."""

from collections.abc import Mapping
from typing import ClassVar

from replay_server.endpoints.form_body import (
    FormFields,
    check_files,
    content_key,
    form_of_parts,
    is_file,
    parts_of,
    read_form,
)
from replay_server.endpoints.http_form import check_http_fields, http_request
from replay_server.endpoints.openai import OpenAIResource
from replay_server.endpoints.short_form import items
from replay_server.interaction import Json, JsonObject, RawRequest, Request

MULTIPART = "multipart/form-data"


class FormResource(OpenAIResource):
    """The parts of `Resource` that are alike for all resources with a form as body."""

    form: ClassVar[FormFields]
    takes_json: ClassVar[bool] = False
    """Whether it may be JSON as well."""

    def parse(self, raw: RawRequest) -> Request:
        """Read the form. Raises BadRequest where it is none, or not whole."""
        content_type = raw.headers.get("content-type", "")
        if self.takes_json and content_type.lower().startswith("application/json"):
            return super().parse(raw)
        return self.asked(read_form(content_type, raw.body, self.form, self.about), raw.parameters)

    def about(self, data: bytes) -> JsonObject:
        """What else is to be known of a file."""
        return {}

    def from_cassette(self, fields: JsonObject) -> Request:
        """The request with this body; its files are checked."""
        check_files(fields, self.form)
        return super().from_cassette(fields)

    def from_parts(self, fields: JsonObject, parameters: Mapping[str, str]) -> Request:
        """The request that `{form: …}` stands for, as it was kept before this endpoint was known."""
        check_http_fields(fields)
        return self.asked(form_of_parts(items(fields, "form", dict), self.form), parameters)

    def asked(self, body: dict[str, Json], parameters: Mapping[str, str]) -> Request:
        """The request with this body, on a path with these parameters."""
        if deployment := parameters.get("deployment"):  # Azure answers for its path, whatever model the body names
            body["model"] = deployment
        return OpenAIResource.from_cassette(self, body)

    def canonical(self, request: Request) -> JsonObject:
        """The fields of the key: of a file its content."""
        return {name: content_key(value) for name, value in self.prompt(request).items()}

    def sent(self, body: JsonObject) -> tuple[str, bytes]:
        """The content type and the form that a client sends for a body. Raises NotKept."""
        _, content_type, form = http_request({"form": list(parts_of(body))})
        return content_type, form

    def check_form(self, request: Request, operation_id: str) -> None:
        """Refuse what the API's description does not allow: there a file is a text."""
        # Imported when an answer is made up: a replay never needs them.
        from replay_server.endpoints.description import request_schema
        from replay_server.endpoints.validation import check

        body = {name: _as_described(value) for name, value in request.body.items()}
        check(body, request_schema(operation_id, MULTIPART))


def _as_described(value: Json) -> Json:
    if isinstance(value, list):
        return [_as_described(item) for item in value]
    return "" if is_file(value) else value
