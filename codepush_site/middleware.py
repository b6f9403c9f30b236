"""What holds for every page: which sources a browser may load, and how much and what it may send."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from builds.connections import is_database_away
from deployments.services.checks import BundleTooLarge

logger = logging.getLogger(__name__)

_GetResponse = Callable[[HttpRequest], HttpResponse]

# Everything comes from this host, in files: a script smuggled into a page is not run. `data:` is for the small images
# inside Bootstrap's stylesheet.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# The dashboard asks for none of these, so that no script that got in can.
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"
# Boundaries and the other fields of a form, on top of the bundle.
_FORM_OVERHEAD_BYTES = 1_000_000


class ContentSecurityPolicyMiddleware:
    """Every answer carries the policies."""

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        return response


class BodySizeLimitMiddleware:
    """A body that cannot be taken is refused before any of it is read."""

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        # No number: Django takes it for 0. More digits than fit: int() would refuse them.
        is_number = announced.isascii() and announced.isdigit()
        if is_number and (len(announced) > 18 or int(announced) > settings.MAX_BUNDLE_BYTES + _FORM_OVERHEAD_BYTES):
            return render(request, "413.html", {"refusal": BundleTooLarge().message}, status=413)
        return self.get_response(request)


class DatabaseOutageMiddleware:
    """Without the database, or with one that takes no writes, no page can do its work (503).

    The answer says so, and that phones are still served.
    """

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_database_away(exception):
            return None
        logger.error("no page without the database: %s", exception)
        # Without the request: who is signed in stands in the database too.
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "10"})


class NulRefusedMiddleware:
    """No address and no cookie holds a NUL (400): PostgreSQL stores none, so looking for one is a fault there."""

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query or any("\0" in text for text in (request.path_info, query, *request.COOKIES.values())):
            raise BadRequest("NUL in an address or cookie")
        return self.get_response(request)
