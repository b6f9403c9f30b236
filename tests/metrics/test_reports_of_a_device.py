"""A client that reported all the time: what its page reads is bounded. (What it costs a batch: test_odd_reports.)"""

import pytest
from django.contrib.auth.models import User

from builds.models import Build
from metrics.aggregation import apply_batch, hash_client
from metrics.devices import list_reports
from metrics.models import ReportLogEntry
from tests.deployments.pages import AsUser, build_url
from tests.factories import BuildFactory, CodePushFactory

pytestmark = pytest.mark.django_db


def log_downloads(build: Build, client: str, count: int) -> None:
    ReportLogEntry.objects.bulk_create(
        ReportLogEntry(event="downloaded", deployment_key=build.deployment_key, client_unique_id=client, label="v1")
        for _ in range(count)
    )


def test_its_page_shows_the_newest_reports_only(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    log_downloads(build, "loud", 120)
    apply_batch()
    response = as_user(viewer).get(build_url(build, f"devices/{hash_client('loud')}/?q=loud"))
    assert len(response.context["reports"]) == 50


def test_what_it_says_to_another_build_is_not_searched_without_end(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metrics.devices._MAX_READ", 10)
    log_downloads(build, "loud", 1)
    assert len(list_reports(build, "loud")) == 1
    log_downloads(BuildFactory(), "loud", 10)
    assert list_reports(build, "loud") == []
