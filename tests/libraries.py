"""Libraries in memory, for tests that need no files."""

from typing import Any

from replay_server.cassettes.config import Config
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Keyed
from replay_server.endpoints.table import implied_endpoint, resource_named
from replay_server.interaction import Choice, Interaction, TextReply


def chat(*texts: str, **fields: Any) -> dict[str, Any]:
    """A chat request: a text for each message, of the user and the assistant in turn."""
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]
    return {"model": "m", "messages": messages, **fields}


def interaction(body: dict[str, Any], cassette: str = "a.yaml", place: int = 1, **fields: Any) -> Interaction:
    endpoint = fields.pop("endpoint", None) or implied_endpoint(body) or "chat/completions"
    responses = (TextReply(choices=(Choice(content="x"),)),)
    return Interaction(
        cassette=cassette, place=place, line=place, endpoint=endpoint, request=body, responses=responses, **fields
    )


def library(*bodies: dict[str, Any], config: Config | None = None, **fields: Any) -> Library:
    """The bodies, one interaction each, in `a.yaml`."""
    found = [interaction(body, place=place, **fields) for place, body in enumerate(bodies, 1)]
    return Library("cassettes", found, config)


def asked(library: Library, body: dict[str, Any], endpoint: str | None = None) -> Keyed:
    """A request with its key, under the rules of a library."""
    resource = resource_named(endpoint or implied_endpoint(body) or "chat/completions")
    return library.key(resource, resource.from_cassette(body))
