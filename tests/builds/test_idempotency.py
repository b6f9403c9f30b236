"""What carries a key is done once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from builds import idempotency
from builds.errors import InvalidInput, NotAllowedNow
from builds.idempotency import KEPT_FOR, KeyedRequest, KeyReused, do_once
from builds.models import AuditEntry, Build, DoneRequest, Project
from builds.tasks import forget_old_requests
from codepush_site.schedule import SCHEDULE
from tests.deployments.pages import AsUser, assert_refused, text_of

KEY = "3f0e3a7e-7a55-4d51-9f6f-9a5c2b1f7f10"


@pytest.fixture
def request_of(release_manager: User) -> Callable[..., KeyedRequest]:
    def make(**changes: object) -> KeyedRequest:
        return KeyedRequest(release_manager, "/builds/new/", KEY, "hash")._replace(**changes)  # type: ignore[arg-type]

    return make


def _never() -> str:
    raise AssertionError("done a second time")


def test_a_resend_gets_the_first_answer(request_of: Callable[..., KeyedRequest]) -> None:
    assert do_once(request_of(), lambda: "/builds/1/") == "/builds/1/"
    assert do_once(request_of(), _never) == "/builds/1/"


def test_what_was_refused_may_be_sent_again(request_of: Callable[..., KeyedRequest]) -> None:
    def refuse() -> str:
        raise NotAllowedNow("Not now.")

    with pytest.raises(NotAllowedNow):
        do_once(request_of(), refuse)
    assert do_once(request_of(), lambda: "/builds/1/") == "/builds/1/"


def test_a_key_stands_for_one_request(request_of: Callable[..., KeyedRequest], owner: User) -> None:
    do_once(request_of(), lambda: "/builds/1/")
    with pytest.raises(KeyReused, match=f"The Idempotency-Key '{KEY}' came before") as reused:
        do_once(request_of(request_hash="other"), _never)
    assert reused.value.answer == "/builds/1/"
    for other in (request_of(actor=owner), request_of(scope="/projects/new/"), request_of(key="other")):
        assert do_once(other, lambda: "/builds/2/") == "/builds/2/"


def test_a_key_is_forgotten_after_a_day(request_of: Callable[..., KeyedRequest]) -> None:
    do_once(request_of(), lambda: "/builds/1/")
    DoneRequest.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(seconds=1))
    assert do_once(request_of(request_hash="other"), lambda: "/builds/2/") == "/builds/2/"
    assert DoneRequest.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Otherwise the database's clock is this host's.")
def test_a_clock_that_is_a_day_ahead_forgets_no_key(request_of: Callable[..., KeyedRequest]) -> None:
    do_once(request_of(), lambda: "/builds/1/")
    with time_machine.travel(timezone.now() + KEPT_FOR + timedelta(hours=1)):
        forget_old_requests()
        assert do_once(request_of(), _never) == "/builds/1/"


def test_the_sweep_forgets_what_is_older_than_a_day(
    request_of: Callable[..., KeyedRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_ROWS_PER_BATCH", 2)
    for key in "abcd":
        do_once(request_of(key=key), lambda: "")
    DoneRequest.objects.exclude(key="d").update(created_at=timezone.now() - KEPT_FOR - timedelta(seconds=1))
    forget_old_requests()
    assert [done.key for done in DoneRequest.objects.all()] == ["d"]


def test_the_sweep_comes_by_itself() -> None:
    assert forget_old_requests.name in {entry["task"] for entry in SCHEDULE.values()}


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "a\n", "\0", "ключ"], ids=ascii)
def test_a_key_that_is_none_is_refused(request_of: Callable[..., KeyedRequest], key: str) -> None:
    with pytest.raises(InvalidInput):
        do_once(request_of(key=key), _never)


def test_a_form_that_is_sent_twice_registers_one_build(
    as_user: AsUser, release_manager: User, project: Project
) -> None:
    client, address = as_user(release_manager), f"/projects/{project.slug}/builds/new/"
    key = str(client.get(address).context["request_key"])
    fields = {"platform": "ios", "build_target": "staging", "store_version": "3.1.0", "status": "pending"}
    first = client.post(address, {**fields, "request_key": key})
    second = client.post(address, {**fields, "request_key": key})
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert Build.objects.count() == AuditEntry.objects.count() == 1
    assert "This form had been sent before; it was done once." in text_of(client.get(address))


def test_other_values_with_the_key_of_a_form_that_was_done_are_refused(as_user: AsUser, outsider: User) -> None:
    client = as_user(outsider)
    client.post("/projects/new/", {"name": "Kestrel", "request_key": KEY})
    response = client.post("/projects/new/", {"name": "Osprey", "request_key": KEY})
    assert_refused(response, 409, "This was sent before with other values, and led to /projects/kestrel/.")
    assert str(response.context["request_key"]) != KEY
