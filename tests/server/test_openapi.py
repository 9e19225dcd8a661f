"""The OpenAPI document is valid and says what the routes say."""

import re
from typing import Any, cast

import pytest
from openapi_spec_validator import validate as validate_document

from replay_server.endpoints.base import Route
from replay_server.endpoints.chat_rules import check_chat
from replay_server.endpoints.completion_rules import check_completion
from replay_server.endpoints.description import describes, operation, request_schema
from replay_server.endpoints.embedding_rules import check_embedding
from replay_server.endpoints.moderation_rules import check_moderation
from replay_server.endpoints.responses_rules import check_compaction, check_response_request
from replay_server.endpoints.table import all_routes
from replay_server.endpoints.validation import check
from replay_server.interaction import JsonObject
from replay_server.server.control.operation import Operation
from replay_server.server.control.table import operations
from replay_server.server.openapi import document

ROUTES = (
    *all_routes(),
    Route("GET", "/healthz", "health", "Whether the server can answer"),
    Route("GET", "/readyz", "ready", "Whether the cassettes are indexed"),
)
CHECKS: dict[str, Any] = {
    "createChatCompletion": check_chat,
    "createCompletion": check_completion,
    "createEmbedding": check_embedding,
    "createModeration": check_moderation,
    "createResponse": check_response_request,
    "Compactconversation": check_compaction,
}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(ROUTES)


@pytest.mark.slow
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


def takes_json(route: Route) -> bool:
    return describes(route.operation_id) and "application/json" in cast(
        "JsonObject", operation(route.operation_id).get("request", {})
    )


@pytest.mark.parametrize("route", [route for route in ROUTES if takes_json(route)], ids=lambda r: r.operation_id)
def test_examples_are_requests_that_the_api_takes(made: dict[str, Any], route: Route) -> None:
    content = made["paths"][route.path][route.method.lower()]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        check(example["value"], request_schema(route.operation_id))
        CHECKS.get(route.operation_id, lambda body: None)(example["value"])


def test_no_schema_is_nullable_in_the_old_way(made: dict[str, Any]) -> None:
    properties = made["components"]["schemas"]["CreateCompletionRequest"]["properties"]
    assert properties["echo"] == {"type": ["boolean", "null"], "default": False}
    assert properties["prompt"]["oneOf"][-1] == {"type": "null"}
    assert "nullable" not in str(made)


def test_only_schemas_that_are_needed_are_there() -> None:
    models = document([Route("GET", "/models", "listModels")])
    assert list(models["components"]["schemas"]) == ["Error", "ErrorResponse", "ListModelsResponse", "Model"]


# The control API -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_control() -> dict[str, Any]:
    return document(ROUTES, control=operations())


def test_the_document_with_the_control_api_is_valid_openapi(with_control: dict[str, Any]) -> None:
    validate_document(with_control)


def test_the_control_api_has_a_section_and_a_base_of_its_own(with_control: dict[str, Any]) -> None:
    paths = {path: item for path, item in with_control["paths"].items() if path.startswith("/__replay/")}

    tags = {tag for item in paths.values() for name, each in item.items() if name != "servers" for tag in each["tags"]}

    assert {tuple(item["servers"][0].items()) for item in paths.values()} == {(("url", "/"),)}
    assert tags == {"control"}
    assert [tag["name"] for tag in with_control["tags"]][-2:] == ["server", "control"]


@pytest.mark.parametrize("operation", [each for each in operations() if each.example], ids=lambda each: each.route.path)
def test_examples_of_the_control_api_are_what_it_takes(operation: Operation) -> None:
    assert operation.body is not None
    check(operation.example, operation.body)


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.route.operation_id)
def test_every_parameter_of_a_control_path_is_described(operation: Operation) -> None:
    assert set(re.findall(r"{(\w+)\+?}", operation.route.path)) == operation.path.keys()


def test_operations_have_ids_of_their_own() -> None:
    ids = [operation.route.operation_id for operation in operations()]

    assert len(ids) == len(set(ids))
