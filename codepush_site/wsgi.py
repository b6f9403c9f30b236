"""One door: the device plane is looked at first, by path; everything else goes to Django.

`runserver` uses it too (WSGI_APPLICATION), so development, tests and production answer phones the same way.
"""

import gc
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from codepush_site import tracing

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codepush_site.settings")
# Before Django reads which middleware there is.
tracing.start(sentry_dsn=settings.SENTRY_DSN, otlp_endpoint=settings.OTEL_EXPORTER_OTLP_ENDPOINT)
django_application = get_wsgi_application()

# Only now: these import settings and models.
from codepush_site import slow_clients  # noqa: E402
from deployments import bundle_download, device_limits, snapshot_refresh  # noqa: E402
from deployments import device_api as deployments_api  # noqa: E402
from deployments.device_http import WsgiApp  # noqa: E402
from metrics import device_api as metrics_api  # noqa: E402

DEVICE_ROUTES = {**deployments_api.ROUTES, **metrics_api.ROUTES}

# What start-up made stays: looking for garbage in it again and again would cost pauses, and delay finding the rest.
gc.collect()
gc.freeze()

if settings.SNAPSHOT_POLL_SECONDS:
    # The server imports this module in each worker process, so each gets a thread of its own.
    snapshot_refresh.start(settings.SNAPSHOT_POLL_SECONDS)


def application(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
    path: str = environ["PATH_INFO"]
    endpoint: WsgiApp | None = None
    if path.startswith("/api/"):
        # A trailing slash is accepted, as by the server of origin.
        endpoint = DEVICE_ROUTES.get(path) or DEVICE_ROUTES.get(path.rstrip("/"))
        if endpoint is None and path.startswith(bundle_download.PREFIX):
            endpoint = bundle_download.download_bundle
        if endpoint is not None and not device_limits.allows(environ):
            endpoint = device_limits.refuse
    if endpoint is bundle_download.download_bundle:
        return slow_clients.send(endpoint, environ, start_response)
    return slow_clients.receive(endpoint or django_application, environ, start_response)
