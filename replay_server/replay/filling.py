"""A matcher's response with the values of a request in it."""

from replay_server.cassettes.matchers import Matched
from replay_server.cassettes.reader import dotted, read_response
from replay_server.cassettes.templates import filled
from replay_server.conditions import Template
from replay_server.endpoints.base import BadField, Resource
from replay_server.errors import ApiError
from replay_server.interaction import Response


def filled_response(resource: Resource, matched: Matched, place: int, template: Template) -> Response:
    """The response at a place of the sequence. Raises ApiError where its template fails."""
    interaction = matched.interaction
    try:
        return read_response(filled(template.response, matched.values), resource)
    except BadField as error:
        line = template.lines.get(error.path, interaction.line)
        step = f"[{place}]" if len(interaction.responses) > 1 else ""
        where = f"response{step}.{dotted(error.path)}".removesuffix(".")
        raise ApiError(
            f"{template.file}:{line}: interaction {interaction.place}: {where}: {error.problem}",
            status=422,  # client libraries do not retry it
            code="template_failed",
        ) from None
