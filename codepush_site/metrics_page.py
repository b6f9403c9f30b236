"""/metrics, for Prometheus."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from codepush_site.current_state import CurrentState
from telemetry import prometheus
from telemetry.addresses import find_public_address


@require_safe
def show_metrics(request: HttpRequest) -> HttpResponse:
    """With METRICS_TOKEN for whoever sends it; without, for callers of a private network that no proxy stands before.

    No query per build or device: four queries, whatever there is.
    """
    if not _may_read(request):
        sentence = "Send the METRICS_TOKEN as a bearer token, or ask from the private network, past the proxy.\n"
        return HttpResponse(sentence, status=403, content_type="text/plain; charset=utf-8")
    return HttpResponse(prometheus.render(CurrentState()), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}")
    came_through_proxy = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"))
    return not came_through_proxy and not find_public_address(request.META)
