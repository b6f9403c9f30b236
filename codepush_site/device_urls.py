"""What a web process for devices answers beside them (`device_settings`): supervisors."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from codepush_site import health, metrics_page


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse("Not Found: this server is for devices.", content_type="text/plain", status=404)


handler404 = answer_not_found

urlpatterns = [
    path("healthz", health.show_liveness, name="healthz"),
    path("readyz", health.show_readiness, name="readyz"),
    path("metrics", metrics_page.show_metrics, name="metrics"),
]
