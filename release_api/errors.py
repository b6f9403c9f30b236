"""One envelope for whatever goes wrong under /api/v1/: refusals of services, of values, of tokens, and Django's own."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from builds.errors import AlreadyTaken, DomainError, StaleView, TryLater
from builds.idempotency import KeyReused
from builds.views.form_page import find_status
from deployments.services.bucket_uploads import PartsNotTaken
from deployments.services.change import ApprovalNeeded
from deployments.services.checks import BundleTooLarge
from release_api.idempotency import Answer
from release_api.limits import TooManyRequests
from release_api.schemas import describe_error

logger = logging.getLogger(__name__)

PREFIX = "/api/v1/"
# {status: (code, sentence)} where nothing more is known.
_WORDS = {
    400: ("bad_request", "The request cannot be read. Send what /api/v1/docs describes."),
    401: ("unauthorized", "Send a valid token: “Authorization: Bearer cpc_…”."),
    403: ("forbidden", "The token may not do this."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take the method. See the Allow header."),
    409: ("conflict", "This does not fit the present state."),
    413: ("too_large", "The request is too large."),
    422: ("invalid_input", "A value cannot be taken."),
    429: ("too_many_requests", "Too many requests. Try again later."),
    500: ("internal_error", "The server made a mistake; it is in its log. Nothing was half done."),
    503: ("unavailable", "The database does not answer. Try again in a few seconds."),
}
# The first class that fits decides. Codes are more than statuses where programs can act on the difference.
_CODES: tuple[tuple[type[DomainError], int | None, str], ...] = (
    (BundleTooLarge, None, "too_large"),
    # The value is fine, and somebody has it: a conflict to a program, a mistake in a field to a person at a form.
    (AlreadyTaken, HTTPStatus.CONFLICT, "already_taken"),
    (StaleView, None, "stale"),
    (ApprovalNeeded, None, "approval_needed"),
    (KeyReused, None, "idempotency_key_reused"),
    (PartsNotTaken, None, "parts_not_taken"),
)


def describe_refusal(refusal: DomainError) -> Answer:
    """A service's refusal, as the API answers it."""
    status, code = find_status(refusal), ""
    for kind, own_status, own_code in _CODES:
        if isinstance(refusal, kind):
            status, code = own_status or status, own_code
            break
    fields = {refusal.field: refusal.message} if refusal.field else None
    return Answer(status, describe_error(code or _WORDS[status][0], refusal.message, fields))


def _answer(status: int, message: str = "", fields: dict[str, str] | None = None) -> JsonResponse:
    code, sentence = _WORDS.get(status) or _WORDS[400 if status < 500 else 500]
    return JsonResponse(describe_error(code, message or sentence, fields), status=status)


def _refuse_token(request: HttpRequest, error: Any) -> HttpResponse:
    answer = _answer(401)
    sent = 'Bearer realm="CodePush release API"'
    answer.headers["WWW-Authenticate"] = (
        f'{sent}, error="invalid_token"' if "Authorization" in request.headers else sent
    )
    return answer


def _refuse_for_now(request: HttpRequest, refusal: TooManyRequests) -> HttpResponse:
    answer = _answer(429, str(refusal))
    answer.headers["Retry-After"] = str(refusal.wait_seconds)
    return answer


def _refuse_during_outage(request: HttpRequest, refusal: TryLater) -> HttpResponse:
    answer = _answer(503, refusal.message)
    answer.headers["Retry-After"] = "5"
    return answer


def _refuse_values(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields: dict[str, str] = {}
    for each in error.errors:
        # Of a value that may be of several kinds, each kind complains; the first is the one that is meant.
        fields.setdefault(_name_input(each["loc"]), _describe(each))
    sentence = " ".join(f"{name}: {words}" for name, words in fields.items())
    return _answer(422, f"{sentence} See {PREFIX}docs.", fields)


def _name_input(location: tuple[Any, ...]) -> str:
    """The input's own name; "body" where the whole body is wrong. Before it stand where it came from, and our name."""
    own = (str(part) for part in location if part not in ("body", "form", "file", "query", "path", "values"))
    return next(own, "body")


def _describe(error: dict[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "Missing."
        case "extra_forbidden":
            return "Not a field of this request."
        case _:
            return f"{error['msg']}."


def add_handlers(api: NinjaAPI) -> None:
    """Whatever an operation raises becomes an envelope; what nobody foresaw goes on to Django, which logs it."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        AuthenticationError: _refuse_token,
        TooManyRequests: _refuse_for_now,
        ValidationError: _refuse_values,
        TryLater: _refuse_during_outage,
        DomainError: lambda request, refusal: _send(describe_refusal(refusal)),
        Http404: lambda request, absent: _answer(404, str(absent)),
        PermissionDenied: lambda request, denial: _answer(403, str(denial)),
        HttpError: lambda request, error: _answer(error.status_code, f"{error.message}."),
        MultiPartParserError: lambda request, error: _answer(400, f"The form cannot be read: {error}"),
        RequestDataTooBig: lambda request, error: _answer(413),
        BadRequest: lambda request, error: _answer(400, str(error)),
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _send(answer: Answer) -> JsonResponse:
    return JsonResponse(answer.body, status=answer.status)


class ApiErrorMiddleware:
    """Under /api/v1/ what Django and other middleware answer by themselves (404, 405, 413, 500, 503) is JSON, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_ours = request.path_info.startswith(PREFIX) and response.status_code >= 400
        if not is_ours or response.headers.get("Content-Type", "").startswith("application/json"):
            return response
        message = BundleTooLarge().message if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else ""
        answer = _answer(response.status_code, message)
        for name in ("Allow", "Retry-After"):
            if name in response.headers:
                answer.headers[name] = response.headers[name]
        return answer
