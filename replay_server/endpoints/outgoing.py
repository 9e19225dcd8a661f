"""A request of a cassette as a client would send it: method, path, query and body."""

import re
from urllib.parse import quote, urlencode

import orjson

from replay_server.endpoints.base import Resource, Route, Uploading
from replay_server.endpoints.http_form import http_request
from replay_server.interaction import JsonObject, RawRequest

_SAFE = "/:@!$&'()*+,;="
"""What stands in a path as it is. Source: RFC 3986, section 3.3."""
_PARAMETER = re.compile(r"\{(\w+)\+?\}")


def outgoing(resource: Resource, fields: JsonObject) -> RawRequest:
    """The request with these fields; its path has no `/v1`. Raises NotKept where only a hash is left of its body."""
    route = _route(resource, fields)
    if not route.operation_id:  # any request at all: its fields are those of HTTP
        query, content_type, body = http_request(fields)
        return _request(route.method, route.path, query, content_type, body)
    in_path = _PARAMETER.findall(route.path)
    path = _PARAMETER.sub(lambda match: str(fields[match[1]]), route.path)
    rest = {name: value for name, value in fields.items() if name not in in_path}
    if isinstance(resource, Uploading):
        return _request(route.method, path, (), *resource.sent(rest))
    body = b"" if route.method == "GET" else orjson.dumps(rest)
    return _request(route.method, path, (), "application/json", body)


def _route(resource: Resource, fields: JsonObject) -> Route:
    """The operation that the fields ask for: a model that is named is looked up, else all are listed."""
    method = resource.routes[0].method
    possible = [
        route
        for route in resource.routes
        if route.method == method and fields.keys() >= {*_PARAMETER.findall(route.path)}
    ]
    return max(possible, key=lambda route: len(_PARAMETER.findall(route.path)), default=resource.routes[0])


def _request(method: str, path: str, query: tuple[tuple[str, str], ...], content_type: str, body: bytes) -> RawRequest:
    target = quote(path, safe=_SAFE) + (f"?{urlencode(query)}" if query else "")
    return RawRequest(method, path, {}, query, {"content-type": content_type} if body else {}, body, target)
