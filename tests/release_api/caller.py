"""A program that calls the release API with a token."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from builds.models import Project, Role
from release_api.tokens import create_token


class Caller:
    """`Caller(owner).post("/builds/1/store-status", {"store_status": "live"})`. Without a user: no token at all."""

    def __init__(
        self, user: User | None = None, *, role: str = Role.ADMIN, project: Project | None = None, text: str = ""
    ) -> None:
        self._client = Client()
        if user is not None:
            self.token, text = create_token(actor=user, name="CI", role=role, project=project)
        self.headers = {"Authorization": f"Bearer {text}"} if text else {}

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("POST", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("PATCH", path, body, headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self._send("DELETE", path, None, headers)

    def upload(
        self, path: str, bundle: SimpleUploadedFile | None, headers: dict[str, str] | None = None, **fields: Any
    ) -> Any:
        values = {**fields, **({"bundle": bundle} if bundle else {})}
        return self._client.post(f"/api/v1{path}", values, headers={**self.headers, **(headers or {})})

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = b"" if body is None else json.dumps(body).encode()
        return self._client.generic(
            method, f"/api/v1{path}", data, "application/json", headers={**self.headers, **named}
        )


def assert_error(response: Any, status: int, code: str, *words: str, field: str | None = None) -> None:
    """The envelope with this code, these words in the message, and this field alone named as wrong."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    error = response.json()["error"]
    assert error["code"] == code
    assert [word for word in words if word not in error["message"]] == []
    assert list(error.get("fields", {})) == ([field] if field else [])
