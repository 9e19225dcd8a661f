"""The OpenAPI document is valid and says what the routes say."""

from typing import Any

import pytest
from openapi_spec_validator import validate as validate_document

from replay_server.endpoints.base import Route
from replay_server.endpoints.chat_rules import check_chat
from replay_server.endpoints.completion_rules import check_completion
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.table import all_resources
from replay_server.endpoints.validation import check
from replay_server.server.openapi import document

ROUTES = (
    *(route for resource in all_resources() for route in resource.routes),
    Route("GET", "/healthz", "health", "Whether the server can answer"),
    Route("GET", "/readyz", "ready", "Whether the cassettes are indexed"),
)
CHECKS = {"createChatCompletion": check_chat, "createCompletion": check_completion}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(ROUTES)


def test_document_is_valid_openapi(made: dict[str, Any]) -> None:
    validate_document(made)


def test_every_route_is_in_the_document(made: dict[str, Any]) -> None:
    shown = {
        (method.upper(), path, operation["operationId"], operation["summary"])
        for path, operations in made["paths"].items()
        for method, operation in operations.items()
        if method != "servers"
    }
    declared = {(r.method, r.path.replace("+}", "}"), r.operation_id, r.summary) for r in ROUTES}
    assert shown == declared


def test_api_and_server_have_their_own_base(made: dict[str, Any]) -> None:
    assert made["servers"] == [{"url": "/v1"}]
    assert made["paths"]["/healthz"]["servers"] == [{"url": "/"}]


def test_base_urls_can_be_moved() -> None:
    moved = document(ROUTES, base_url="/prefix/v1", root_url="/prefix")
    assert moved["servers"] == [{"url": "/prefix/v1"}]
    assert moved["paths"]["/readyz"]["servers"] == [{"url": "/prefix"}]


def test_an_api_key_is_optional(made: dict[str, Any]) -> None:
    assert made["security"] == [{}, {"ApiKey": []}]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=lambda r: r.operation_id)
def test_examples_are_requests_that_the_api_takes(made: dict[str, Any], route: Route) -> None:
    content = made["paths"][route.path]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        check(example["value"], request_schema(route.operation_id))
        CHECKS[route.operation_id](example["value"])


def test_no_schema_is_nullable_in_the_old_way(made: dict[str, Any]) -> None:
    properties = made["components"]["schemas"]["CreateCompletionRequest"]["properties"]
    assert properties["echo"] == {"type": ["boolean", "null"], "default": False}
    assert properties["prompt"]["oneOf"][-1] == {"type": "null"}
    assert "nullable" not in str(made)


def test_only_schemas_that_are_needed_are_there() -> None:
    models = document([Route("GET", "/models", "listModels")])
    assert list(models["components"]["schemas"]) == ["Error", "ErrorResponse", "ListModelsResponse", "Model"]
