"""Sentry and OpenTelemetry: only when asked for, and without what people and devices sent."""

import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from codepush_site import tracing


@pytest.mark.parametrize(
    ("asked", "missing", "package"),
    [
        ({"sentry_dsn": "https://key@sentry.example/1"}, "sentry_sdk", "sentry-sdk"),
        ({"otlp_endpoint": "http://collector:4318"}, "opentelemetry.trace", "opentelemetry-sdk"),
    ],
)
def test_a_missing_package_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, str], missing: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ImproperlyConfigured, match=f"{package} is not installed"):
        tracing.start(**{"sentry_dsn": "", "otlp_endpoint": "", **asked})


def test_unasked_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "import_module", pytest.fail)

    tracing.start(sentry_dsn="", otlp_endpoint="")


def test_a_mistake_is_sent_without_what_somebody_sent() -> None:
    sent: dict[str, Any] = {
        "request": {
            "method": "POST",
            "url": "https://codepush.example/sign-in/?next=/secret",
            "data": {"password": "secret"},
            "headers": {"Cookie": "secret"},
            "query_string": "client_unique_id=secret",
            "cookies": {"sessionid": "secret"},
        },
        "user": {"ip_address": "secret"},
        "exception": {"values": ["ValueError"]},
    }

    kept = tracing.drop_what_people_and_devices_sent(sent, {})

    assert kept == {
        "request": {"method": "POST", "url": "https://codepush.example/sign-in/"},
        "exception": {"values": ["ValueError"]},
    }


def test_a_trace_has_no_query() -> None:
    class Span:
        attributes = {
            "url.query": "q=secret",
            "http.target": "/search/?q=secret",
            "http.url": "http://h/search/?q=secret",
        }

        def set_attribute(self, name: str, value: str) -> None:
            self.attributes[name] = value

    span = Span()
    tracing.drop_query(span, RequestFactory().get("/search/?q=secret"))

    assert "secret" not in str(span.attributes)
