"""The admin for support staff: what a device reported."""

import pytest
from django.test import Client

from builds.models import Build
from metrics.models import ReportLogEntry
from metrics.reports import ReportEvent
from tests.admin import assert_is_view_only, count_list_queries, get_page, search

REPORTS = "/admin/metrics/reportlogentry/"
CLIENT = "a1b2c3d4-0000-4000-8000-00000000009f"


@pytest.fixture
def report(build: Build) -> ReportLogEntry:
    return ReportLogEntry.objects.create(
        event=ReportEvent.INSTALLED, deployment_key=build.deployment_key, client_unique_id=CLIENT, label="v1"
    )


def test_the_report_log_is_view_only(support: Client, report: ReportLogEntry) -> None:
    assert_is_view_only(support, REPORTS, report.pk)


def test_the_list_masks_client_ids(support: Client, report: ReportLogEntry) -> None:
    page = get_page(support, REPORTS)

    assert "a1b2…9f" in page
    assert CLIENT not in page


def test_a_report_is_found_by_the_whole_client_id_or_key(support: Client, report: ReportLogEntry, build: Build) -> None:
    assert search(support, REPORTS, CLIENT) == 1
    assert search(support, REPORTS, build.deployment_key) == 1
    assert search(support, REPORTS, "a1b2") == 0


def test_the_list_costs_the_same_with_one_row_and_with_twenty(support: Client, build: Build) -> None:
    def add_row() -> None:
        ReportLogEntry.objects.create(
            event=ReportEvent.DOWNLOADED, deployment_key=build.deployment_key, client_unique_id=CLIENT, label="v1"
        )

    with_one = count_list_queries(support, REPORTS, add_row, rows=1)
    assert count_list_queries(support, REPORTS, add_row, rows=19) == with_one
