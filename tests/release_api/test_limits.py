"""One token may ask much, and not everything. See docs/operations.md, "Limits"."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from builds import rate_limit
from builds.models import Project
from release_api import limits
from tests.release_api.caller import Caller, assert_error


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Clock]:
    """One request in a second, so thirty at once."""
    settings.API_REQUESTS_PER_SECOND = 1
    clock = Clock()
    monkeypatch.setattr(rate_limit, "monotonic", clock)
    limits._requests.cache_clear()
    yield clock
    limits._requests.cache_clear()


def test_the_thirtieth_request_is_answered_and_the_next_is_not(api: Caller, owner: User, clock: Clock) -> None:
    assert [api.get("/projects").status_code for _ in range(31)] == [200] * 30 + [429]
    assert Caller(owner).get("/projects").status_code == 200


def test_who_is_refused_hears_when_to_come_back_and_may_then(api: Caller, clock: Clock) -> None:
    for _ in range(30):
        api.get("/projects")
    refused = api.get("/projects")
    assert_error(refused, 429, "too_many_requests", "in 1 s")
    assert refused.headers["Retry-After"] == "1"

    clock.now += 1
    assert [api.get("/projects").status_code for _ in range(2)] == [200, 429]


def test_what_is_refused_does_nothing(api: Caller, clock: Clock, project: Project) -> None:
    for _ in range(30):
        api.get("/projects")
    body = {"name": "Kestrel"}
    assert_error(api.post("/projects", body, Idempotency_Key="1"), 429, "too_many_requests")
    assert Project.objects.count() == 1
    clock.now += 1
    assert api.post("/projects", body, Idempotency_Key="1").status_code == 201


def test_a_token_that_is_none_uses_up_nothing(api: Caller, clock: Clock) -> None:
    stranger = Caller(text="cpc_" + "0" * 42)
    assert {stranger.get("/projects").status_code for _ in range(40)} == {401}
    assert api.get("/projects").status_code == 200


def test_zero_is_no_limit(api: Caller, clock: Clock, settings: Settings) -> None:
    settings.API_REQUESTS_PER_SECOND = 0
    assert {api.get("/projects").status_code for _ in range(40)} == {200}
