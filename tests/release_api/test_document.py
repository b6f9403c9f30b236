"""The OpenAPI document and the page made of it. (Whether the API keeps it: tests/flows/test_release_api.py.)"""

import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from tests.deployments.pages import AsUser, text_of
from tests.release_api.document import DOCUMENT, render

# Clients outside rely on exactly these.
OPERATIONS = {
    "/api/v1/projects": {"get", "post"},
    "/api/v1/projects/{slug}/builds": {"get", "post"},
    "/api/v1/builds/{build_id}": {"get", "patch"},
    "/api/v1/builds/{build_id}/store-status": {"post"},
    "/api/v1/builds/{build_id}/force-update": {"post", "delete"},
    "/api/v1/builds/{build_id}/explain": {"get"},
    "/api/v1/builds/{build_id}/codepushes": {"get", "post"},
    "/api/v1/codepushes/{deployment_id}": {"get", "patch"},
    "/api/v1/codepushes/{deployment_id}/rollback": {"post"},
    "/api/v1/codepushes/{deployment_id}/promote": {"post"},
    "/api/v1/builds/{build_id}/change-requests": {"get"},
    "/api/v1/builds/{build_id}/force-update-request": {"post"},
    "/api/v1/codepushes/{deployment_id}/promote-request": {"post"},
    "/api/v1/codepushes/{deployment_id}/edit-request": {"post"},
    "/api/v1/change-requests/{request_id}": {"get"},
    "/api/v1/change-requests/{request_id}/approve": {"post"},
    "/api/v1/change-requests/{request_id}/refuse": {"post"},
    "/api/v1/change-requests/{request_id}/withdraw": {"post"},
    "/api/v1/codepushes/{deployment_id}/retry": {"post"},
    "/api/v1/codepushes/{deployment_id}/cancel": {"post"},
    "/api/v1/codepushes/{deployment_id}/metrics": {"get"},
    "/api/v1/tokens": {"get"},
    "/api/v1/tokens/{token_id}": {"delete"},
}


def _document() -> Any:
    return json.loads(DOCUMENT.read_text())


def test_the_document_in_docs_is_that_of_the_api() -> None:
    assert DOCUMENT.read_text() == render(), "The API has changed. Is that meant? Then run `make openapi`."


def test_it_is_served_to_everybody(client: Client) -> None:
    assert client.get("/api/v1/openapi.json").json() == _document()
    assert _document()["openapi"].startswith("3.1")


def test_no_operation_is_lost() -> None:
    assert {path: set(methods) for path, methods in _document()["paths"].items()} == OPERATIONS


def test_every_operation_asks_for_a_token_and_says_how_it_refuses() -> None:
    for methods in _document()["paths"].values():
        for method, operation in methods.items():
            assert operation["security"] == [{"BearerToken": []}]
            refusals = {"400", "401", "403", "404", "422"} | (set() if method == "get" else {"409", "413"})
            assert refusals < set(operation["responses"])


def test_every_write_takes_an_idempotency_key() -> None:
    takers = {
        method
        for methods in _document()["paths"].values()
        for method, operation in methods.items()
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
    }
    assert takers == {"post", "patch", "delete"}


def test_the_page_describes_every_operation(client: Client, as_user: AsUser, owner: User) -> None:
    for browser in (client, as_user(owner)):
        response = browser.get("/api/v1/docs")
        assert response.status_code == 200
        page = text_of(response)
        assert [path for path in OPERATIONS if path not in page] == []
        assert "What changed" not in page
        assert "Share of devices meant to get it." in page
