"""Is the process alive, and can it serve pages? For load balancers and supervisors; no session, no sign-in."""

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from deployments import bundle_storage, snapshot_refresh

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 2
# Many rounds of the poll, and few enough to be noticed.
_STALE_SECONDS = 10.0
# Storage clients have timeouts of a minute and more; one that hangs holds one of these threads, not the request.
_storage_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="readyz")


@require_safe
def show_liveness(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; nothing else is looked at."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def show_readiness(request: HttpRequest) -> JsonResponse:
    """200 when every part is there; 503 that names those that are not."""
    checks: dict[str, Callable[[], None]] = {"database": _check_database, "bundle_storage": _check_storage}
    if settings.REDIS_URL:
        checks["redis"] = _check_redis
    parts = {name: _describe(name, check) for name, check in checks.items()}
    age = snapshot_refresh.find_age_seconds()
    if age is not None:
        # Devices are answered all the same: a load balancer that also sends devices here should ask /healthz.
        parts["snapshots"] = "ok" if age < _STALE_SECONDS else f"stale: last refreshed {age:.0f} s ago"
    is_ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"ready": is_ready, "parts": parts}, status=200 if is_ready else 503)


def _describe(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as failure:  # noqa: BLE001 - each client has errors of its own; any of them means "not ready"
        logger.warning("readiness part=%s failed: %s", name, failure)
        return f"failed: {type(failure).__name__}"
    return "ok"


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_storage() -> None:
    folder = bundle_storage.local_directory()
    if folder is None:
        # A name that is not there: the answer "no" took a signed request to the bucket.
        _storage_threads.submit(bundle_storage.exists, "readyz").result(timeout=_TIMEOUT_SECONDS)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(folder)


def _check_redis() -> None:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=_TIMEOUT_SECONDS, socket_timeout=_TIMEOUT_SECONDS
    )
    with client:
        client.ping()
