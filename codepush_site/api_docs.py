"""The release API's OpenAPI document, and its reference as a page made of it: no script, nothing from elsewhere."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from codepush_site.api import api

_Json = dict[str, Any]


@dataclass(frozen=True)
class Input:
    """One value that a request takes, or an answer has. `place`: "path", "query", "header", "body" or "answer"."""

    name: str
    place: str
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    summary: str
    description: str
    content_type: str
    inputs: list[Input]
    status: str
    answer: list[Input]


@require_safe
def send_document(request: HttpRequest) -> HttpResponse:
    """Nobody needs a token for it, so it is written once: making it takes a third of a second."""
    return HttpResponse(_write_document(), content_type="application/json")


@cache
def _write_document() -> bytes:
    return json.dumps(api.get_openapi_schema()).encode()


@require_safe
def show_docs(request: HttpRequest) -> HttpResponse:
    return render(request, "release_api/docs.html", {"groups": describe_operations()})


@cache
def describe_operations() -> dict[str, list[Operation]]:
    """{tag: its operations}, in the order in which they are mounted."""
    document: _Json = api.get_openapi_schema()
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            groups.setdefault(details["tags"][0], []).append(_describe(document, method.upper(), path, details))
    return groups


def _describe(document: _Json, method: str, path: str, details: _Json) -> Operation:
    request_body: _Json = details.get("requestBody", {"content": {}})
    content_type, body = next(iter(request_body["content"].items()), ("", {"schema": {}}))
    parameters = [
        Input(p["name"], p["in"], _name_type(p["schema"]), p["required"], p.get("description", ""))
        for p in details["parameters"]
    ]
    # The status of success comes first.
    status, answer = next(iter(details["responses"].items()))
    return Operation(
        name=details["operationId"],
        method=method,
        path=path,
        summary=details["summary"],
        description=details.get("description", ""),
        content_type=content_type,
        inputs=[*parameters, *_list_fields(document, body["schema"], "body")],
        status=str(status),
        answer=list(_list_fields(document, answer["content"]["application/json"]["schema"], "answer")),
    )


def _list_fields(document: _Json, schema: _Json, place: str) -> Iterator[Input]:
    schema = _follow(document, schema)
    for name, field in schema.get("properties", {}).items():
        # Answers have every field, whether the document calls it required or not.
        is_required = place == "answer" or name in schema.get("required", ())
        yield Input(name, place, _name_type(field), is_required, field.get("description", ""))


def _follow(document: _Json, schema: _Json) -> _Json:
    for reference in (schema, *schema.get("anyOf", ())):
        if "$ref" in reference:
            return document["components"]["schemas"][reference["$ref"].rsplit("/", 1)[-1]]  # type: ignore[no-any-return]
    return schema


def _name_type(schema: _Json) -> str:
    """As "integer", "“ios” | “android”", "string or null"."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return " | ".join(f"“{value}”" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_name_type(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_name_type(schema['items'])}"
    return str((schema.get("contentMediaType") and "file") or schema.get("format") or schema.get("type", "object"))
