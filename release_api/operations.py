"""How an endpoint of the release API is declared: `@read` and `@write` around a function from request to schema.

    @write(router, "POST", "/builds/{build_id}/codepushes", answer=CodePushOut, status=202)
    def create(request: ApiRequest, build_id: ObjectId, …) -> CodePushOut:

Token, envelope, content type and `Idempotency-Key` are seen to; the function gets its object through `access` and
calls one service.
"""

import json
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar

from django.http import HttpRequest, JsonResponse
from ninja import Router, Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer

from builds.actors import TokenUser
from builds.errors import DomainError, InvalidInput, TryLater
from builds.idempotency import KEY_PATTERN, require_key
from release_api import limits
from release_api.errors import describe_refusal
from release_api.idempotency import Answer, answer_once
from release_api.schemas import ErrorOut
from release_api.tokens import find_user

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Schema])

_KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "pattern": KEY_PATTERN},
    "description": "Any text of your own. The same key and request get the same answer for a day, and act once.",
}
JSON_TYPE, FORM_TYPE = "application/json", "multipart/form-data"


class ApiRequest(HttpRequest):
    """A request whose token was checked."""

    auth: TokenUser


class BearerToken(HttpBearer):
    """`Authorization: Bearer cpc_…`. Before anything of the body is read."""

    def authenticate(self, request: HttpRequest, token: str) -> TokenUser | None:
        user = find_user(token, address=request.META.get("REMOTE_ADDR", ""))
        if user is not None:
            limits.count_request(user.limit.token_id)
        return user


def read(router: Router, path: str, *, answer: type[Schema]) -> Callable[[_Endpoint], _Endpoint]:
    """GET."""

    def decorate(endpoint: _Endpoint) -> _Endpoint:
        @wraps(endpoint)
        def run(request: ApiRequest, **values: Any) -> JsonResponse:
            return JsonResponse(endpoint(request, **values).model_dump(mode="json"))

        _mount(router, "GET", path, endpoint, run, {200: answer}, refusals=(400, 401, 403, 404, 422, 429))
        return endpoint

    return decorate


def write(
    router: Router, method: str, path: str, *, answer: type[Schema], status: int = 200, body: str = JSON_TYPE
) -> Callable[[_Endpoint], _Endpoint]:
    """POST, PATCH or DELETE, done once per `Idempotency-Key`. `body`: the content type that is taken."""

    def decorate(endpoint: _Endpoint) -> _Endpoint:
        @wraps(endpoint)
        def run(request: ApiRequest, **values: Any) -> JsonResponse:
            _require_content_type(request, body)

            def act() -> Answer:
                try:
                    return Answer(status, endpoint(request, **values).model_dump(mode="json"))
                except TryLater:
                    # Not an answer to keep: with the same key the request may be done in a moment.
                    raise
                except DomainError as refusal:
                    return describe_refusal(refusal)

            key = _read_key(request)
            done = act() if key is None else answer_once(request.auth, key, _fingerprint(request), act)
            return JsonResponse(done.body, status=done.status)

        refusals = (400, 401, 403, 404, 409, 413, 422, 429, 503)
        _mount(router, method, path, endpoint, run, {status: answer}, refusals, {"parameters": [_KEY_PARAMETER]})
        return endpoint

    return decorate


def _mount(
    router: Router,
    method: str,
    path: str,
    endpoint: Callable[..., Schema],
    run: Callable[..., JsonResponse],
    answers: dict[int, type[Schema]],
    refusals: tuple[int, ...],
    extra: dict[str, Any] | None = None,
) -> None:
    name = endpoint.__name__
    router.api_operation(
        [method],
        path,
        response={**answers, **dict.fromkeys(refusals, ErrorOut)},
        operation_id=name,
        summary=_name(name),
        openapi_extra=extra,
    )(run)


def _name(function: str) -> str:
    """As "Apply Force Update" for `apply_force_update`: in the words of the dashboard."""
    words = function.replace("_", " ").capitalize()
    return words.replace("codepush", "CodePush").replace("force update", "Force Update")


def _require_content_type(request: HttpRequest, wanted: str) -> None:
    if request.META.get("CONTENT_LENGTH") not in (None, "", "0") and request.content_type != wanted:
        raise HttpError(400, f"The Content-Type is {request.content_type!r}; send {wanted}")


def _read_key(request: HttpRequest) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None:
        require_key(key)
    return key


def _fingerprint(request: HttpRequest) -> str:
    """SHA-256 of method, address and what was sent. Of a form its fields and files: each try has another boundary."""
    digest = sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != FORM_TYPE:
        digest.update(request.body)
        return digest.hexdigest()
    digest.update(json.dumps(sorted(request.POST.lists())).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            digest.update(f"\n{name} {file.size}\n".encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    return digest.hexdigest()


def require_known_fields(request: HttpRequest, *, fields: set[str], files: set[str]) -> None:
    """A form's further fields are refused as those of a JSON body are. Raises InvalidInput."""
    for name in sorted({*request.POST} - fields | {*request.FILES} - files):
        raise InvalidInput(f"{name!r} is not a field of this request. Leave it out.", field=name)
