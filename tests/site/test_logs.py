"""What is logged: whose request it belongs to, and nothing that is a secret or names a device."""

import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from copy import deepcopy
from io import StringIO
from queue import Queue
from typing import Any

import pytest
from celery import current_app, shared_task
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from builds.models import Build
from telemetry import context
from tests.deployments.pages import build_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, object]]]]:
    """Calling it gives what was logged since, as the collector of logs reads it."""
    written = StringIO()
    configuration: dict[str, Any] = deepcopy(settings.LOGGING)
    handler = logging.StreamHandler(written)
    built = logging.config.DictConfigurator({"version": 1})
    handler.setFormatter(built.configure_formatter(configuration["formatters"]["json"]))
    handler.addFilter(built.configure_filter(configuration["filters"]["context"]))
    loggers = [logging.getLogger(name) for name in ("", "django", "pages")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
    for logger in loggers[:2]:
        logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


Lines = Callable[[], list[dict[str, object]]]


def test_a_line_names_request_and_build(
    lines: Lines, build: Build, viewer: User, as_user: Callable[[User], Client]
) -> None:
    as_user(viewer).get(build_url(build), headers={"X-Request-ID": "from-the-proxy-1"})

    (line,) = [line for line in lines() if line["logger"] == "pages"]
    assert line["request_id"] == "from-the-proxy-1"
    assert line["build_id"] == str(build.pk)
    assert (line["level"], line["view"], line["status"], line["user_id"]) == ("INFO", "build_detail", 200, viewer.pk)
    assert str(line["time"]).endswith("+00:00")


@pytest.mark.parametrize("sent", ["", "short", "x" * 129, 'a"}\n{"level":"INFO', "id with blanks", "übermäßig"])
def test_an_odd_request_id_is_replaced(client: Client, sent: str) -> None:
    answered = client.get("/healthz", headers={"X-Request-ID": sent})["X-Request-ID"]

    assert answered != sent
    assert len(answered) == 32


def test_a_proper_request_id_is_kept_and_returned(client: Client) -> None:
    sent = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"

    assert client.get("/healthz", headers={"X-Request-ID": sent})["X-Request-ID"] == sent


def test_no_secret_and_no_device_is_logged(
    lines: Lines, build: Build, viewer: User, as_user: Callable[[User], Client], client: Client
) -> None:
    client.post("/sign-in/", {"username": "vera", "password": "wrong-horse-battery"})
    as_user(viewer).get(build_url(build, "explain/"), {"client_unique_id": "device-of-somebody"})
    as_user(viewer).get("/nowhere/", {"client_unique_id": "device-of-somebody"})
    as_user(viewer).post(build_url(build, "key/"), headers={"Authorization": "Bearer token-of-somebody"})

    logged = json.dumps(lines())
    assert "explain" in logged
    secrets = ("wrong-horse-battery", "device-of-somebody", "token-of-somebody", build.deployment_key)
    assert [secret for secret in secrets if secret in logged] == []


_told: "Queue[dict[str, str]]" = Queue()


@shared_task(name="tests.tell_context")
def _tell_context() -> None:
    _told.put(dict(context.current()))


@pytest.fixture
def worker() -> Iterator[None]:
    """A worker in a thread of this process."""
    with start_worker(current_app, pool="solo", perform_ping_check=False):
        yield


def test_a_task_belongs_to_the_request_that_queued_it(worker: None) -> None:
    with context.bound(request_id="of-the-request"):
        _tell_context.delay()

    assert _told.get(timeout=20) == {"request_id": "of-the-request", "task": "tests.tell_context"}


def test_a_task_that_nobody_asked_for_has_an_id_of_its_own(worker: None) -> None:
    task_id = _tell_context.delay().id

    assert _told.get(timeout=20)["request_id"] == task_id
