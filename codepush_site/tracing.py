"""Sentry and OpenTelemetry, when the environment asks for them. Neither is among the requirements: docs/operations.md
names what to install.
"""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


def start(*, sentry_dsn: str, otlp_endpoint: str) -> None:
    """Called once by each process. Raises ImproperlyConfigured when a package is missing."""
    if sentry_dsn:
        _start_sentry(sentry_dsn)
    if otlp_endpoint:
        _start_opentelemetry()


def drop_what_people_and_devices_sent(event: dict[str, Any], _hint: Mapping[str, Any]) -> dict[str, Any]:
    """The place of a mistake, without bodies, queries, cookies, headers and local variables."""
    request = event.get("request")
    if request is not None:
        event["request"] = {"method": request.get("method"), "url": request.get("url", "").partition("?")[0]}
    event.pop("user", None)
    return event


def _start_sentry(dsn: str) -> None:
    sentry = _load("sentry_sdk", variable="SENTRY_DSN", package="sentry-sdk")
    sentry.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=drop_what_people_and_devices_sent,
    )


def _start_opentelemetry() -> None:
    """Pages, tasks and queries are traced; where to, and with which share, the OTEL_… variables say."""
    known = {"variable": "OTEL_EXPORTER_OTLP_ENDPOINT"}
    trace = _load("opentelemetry.trace", package="opentelemetry-sdk", **known)
    sdk = _load("opentelemetry.sdk.trace", package="opentelemetry-sdk", **known)
    export = _load("opentelemetry.sdk.trace.export", package="opentelemetry-sdk", **known)
    otlp = _load(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        package="opentelemetry-exporter-otlp-proto-http",
        **known,
    )
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    django = _load("opentelemetry.instrumentation.django", package="opentelemetry-instrumentation-django", **known)
    django.DjangoInstrumentor().instrument(request_hook=drop_query)
    celery = _load("opentelemetry.instrumentation.celery", package="opentelemetry-instrumentation-celery", **known)
    celery.CeleryInstrumentor().instrument()


def drop_query(span: Any, request: HttpRequest) -> None:
    """What somebody searched for is in no trace. By the old and the new names of the attributes."""
    for name, value in (("url.query", ""), ("http.target", request.path), ("http.url", request.path)):
        span.set_attribute(name, value)


def _load(module: str, *, variable: str, package: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        sentence = f"{variable} is set, and {package} is not installed; install it, or unset {variable}."
        raise ImproperlyConfigured(sentence) from error
