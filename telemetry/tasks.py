"""A task knows the request that queued it, and how long it took is counted. Connected to Celery's signals."""

import time
from contextvars import Token
from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun, worker_init
from django.conf import settings
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from telemetry import context, measures

# By task id: what to go back to, and when it began.
_running: dict[str, tuple["Token[context.Context]", float]] = {}


def connect() -> None:
    before_task_publish.connect(_send_request_id)
    task_prerun.connect(_begin)
    task_postrun.connect(_end)
    worker_init.connect(_serve_numbers)


def _send_request_id(headers: dict[str, Any], **_: object) -> None:
    if request_id := context.current().get("request_id"):
        headers["request_id"] = request_id


def _begin(task: Task[Any, Any], task_id: str, **_: object) -> None:
    # Queued by beat or the sweep, it is a beginning of its own.
    request_id = task.request.get("request_id") or task_id
    _running[task_id] = (context.enter(request_id=request_id, task=task.name), time.monotonic())


def _end(task: Task[Any, Any], task_id: str, state: str | None = None, **_: object) -> None:
    token, started_at = _running.pop(task_id)
    measures.TASK_SECONDS.labels(task.name, (state or "unknown").lower()).observe(time.monotonic() - started_at)
    context.leave(token)


def _serve_numbers(**_: object) -> None:
    if settings.WORKER_METRICS_PORT:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        start_http_server(settings.WORKER_METRICS_PORT, registry=registry)
