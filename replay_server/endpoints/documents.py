"""The request that a document of a cassette stands for, by the endpoint that it names."""

from typing import cast

from replay_server.endpoints.address import path_parameters, place, read_request
from replay_server.endpoints.base import BadField, Resource, Uploading
from replay_server.endpoints.table import ENDPOINTS, any_resource, resource_named
from replay_server.interaction import JsonObject, RawRequest, Request


def document_request(endpoint: str, fields: JsonObject) -> tuple[Resource, Request]:
    """The request with these fields. Raises BadField.

    Those of `chat/completions` (also `/v1/chat/completions`) are the members of the body. Those of a method and a path,
    `POST /audio/speech`, are `query` and one of `body`, `form` and `raw`: whatever no module knew when it was recorded.
    """
    method, space, path = endpoint.partition(" ")
    if space:
        return _read_http(method, without_version(path.strip()), fields)
    name = without_version(endpoint).removeprefix("/")
    if name not in ENDPOINTS:
        raise BadField(
            ("endpoint",), f"{endpoint!r} is none of {', '.join(ENDPOINTS)}: write others as POST /their/path"
        )
    resource = resource_named(name)
    return resource, resource.from_cassette(fields)


def document_resource(endpoint: str) -> Resource:
    """The resource of whatever is asked of an endpoint, named as in a document. Raises BadField."""
    method, space, path = endpoint.partition(" ")
    if not space:
        return document_request(endpoint, {})[0]
    path = without_version(path.strip())
    _check_http(method, path)
    routed = place(path)[1]
    return any_resource(method, path) if routed is None or method not in routed.methods else routed.resource


def without_version(path: str) -> str:
    """`/chat/completions` of `/v1/chat/completions`."""
    return path.removeprefix("/v1") if path.startswith("/v1/") else path.removeprefix("v1/")


def _read_http(method: str, path: str, fields: JsonObject) -> tuple[Resource, Request]:
    _check_http(method, path)
    try:
        routed = place(path)[1]
        unknown = any_resource(method, path)
        request = unknown.from_cassette(fields)
        return (
            (unknown, request) if routed is None or method not in routed.methods else _read_known(method, path, request)
        )
    except BadField as error:
        raise error.below("request") from None


def _check_http(method: str, path: str) -> None:
    if not (method.isascii() and method.isalpha() and method.isupper() and path.startswith("/")):
        raise BadField(("endpoint",), f"{method} {path} is no method and path: write it like POST /audio/speech")


def _read_known(method: str, path: str, request: Request) -> tuple[Resource, Request]:
    """A request that was recorded before there was a module that knows it, or that the module refuses."""
    from replay_server.endpoints.http_form import NotKept, http_request

    address, routed = place(path)
    if routed is not None and isinstance(routed.resource, Uploading) and "form" in request.body:
        resource = routed.resource  # of a file the hash is enough, and it may be all that was kept
        return cast("Resource", resource), resource.from_parts(request.body, path_parameters(address, routed, method))
    try:
        query, content_type, body = http_request(request.body)
    except NotKept:
        return any_resource(method, path), request
    return read_request(RawRequest(method, path, {}, query, {"content-type": content_type}, body))
