"""Every request to a page has an id, in its answer, in each line that it logs, and in the tasks that it queues."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from telemetry import context, measures
from telemetry.addresses import find_address

logger = logging.getLogger("pages")

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Asked every few seconds by machines.
_UNLOGGED = {"healthz", "readyz", "metrics"}


class RequestContextMiddleware:
    """Outermost, so that what the others log and answer is covered too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started_at = time.monotonic()
        request_id = context.read_request_id(request.headers.get("X-Request-ID", ""))
        with context.bound(request_id=request_id, address=find_address(request.META)):
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id
            _note(request, response, time.monotonic() - started_at)
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]) -> None:
        # Until the request is over: the outer `bound` forgets them.
        named = {"project": kwargs.get("slug"), "build_id": kwargs.get("build_id")}
        context.enter(**named, deployment_id=kwargs.get("deployment_id"))


def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    # The name of the view, not the address: that may hold a device's id or what somebody searched for.
    view = request.resolver_match.view_name if request.resolver_match else ""
    # An invented method would be a new series for ever.
    method = request.method if request.method in _METHODS else "other"
    measures.PAGE_SECONDS.labels(method, response.status_code).observe(seconds)
    if view in _UNLOGGED:
        return
    user_id = getattr(getattr(request, "user", None), "pk", None) if response.status_code != 503 else None
    said = {"method": method, "view": view, "status": response.status_code, "user_id": user_id}
    logger.info("%s %s %s", method, view or "-", response.status_code, extra={**said, "ms": round(seconds * 1000, 1)})
