"""The admin for support staff: CodePushes and bundles."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds.models import AuditAction, AuditEntry, Build
from deployments.models import Bundle, BundleDiff, CodePush
from deployments.selectors import find_live_codepush
from tests.admin import act, assert_is_view_only, count_list_queries, get_page, search
from tests.deployments.pages import report_installed
from tests.factories import BuildFactory, BundleFactory, CodePushFactory, ProjectFactory

CODEPUSHES = "/admin/deployments/codepush/"
BUNDLES = "/admin/deployments/bundle/"
DIFFS = "/admin/deployments/bundlediff/"


def _live_label(build: Build) -> str:
    live = find_live_codepush(build)
    return live.label if live else ""


@pytest.fixture
def releases(build: Build) -> list[CodePush]:
    """v1, v2 and v3 of one build, each with a bundle of its own."""
    return [CodePushFactory(build=build) for _ in range(3)]


def test_a_codepush_is_found_by_what_support_is_told(support: Client) -> None:
    build = BuildFactory(project=ProjectFactory(name="Polar Shoes", slug="polar"), deployment_key="key-of-polar-shoes")
    wanted = CodePushFactory(build=build)
    CodePushFactory(build=build)
    CodePushFactory()

    assert search(support, CODEPUSHES, wanted.deployment_id) == 1
    assert search(support, CODEPUSHES, wanted.bundle.package_hash) == 1
    assert search(support, CODEPUSHES, "key-of-polar-shoes") == 2
    assert search(support, CODEPUSHES, "Polar") == 2
    assert search(support, CODEPUSHES, "v1") == 2
    assert search(support, CODEPUSHES, "polar v1") == 1
    assert search(support, CODEPUSHES, "v7") == 0


def test_codepushes_bundles_and_diffs_are_view_only(support: Client, releases: list[CodePush]) -> None:
    first, second = Bundle.objects.order_by("id")[:2]
    diff = BundleDiff.objects.create(from_bundle=first, to_bundle=second, storage_name=f"{'d' * 64}.zip", size_bytes=1)

    assert_is_view_only(support, CODEPUSHES, releases[0].pk)
    assert_is_view_only(support, BUNDLES, first.pk)
    assert_is_view_only(support, DIFFS, diff.pk)


def test_the_numbers_are_those_of_the_dashboard(support: Client, build: Build, releases: list[CodePush]) -> None:
    report_installed(build, "v2", 3)
    report_installed(build, "", 1, first=3)
    v2 = "v2: 3 active, 0 downloads (0 times), 3 installs (3 times), 0 device rollbacks (0 times)"

    assert v2 in get_page(support, f"{CODEPUSHES}{releases[1].pk}/change/")
    build_page = get_page(support, f"/admin/builds/build/{build.pk}/change/")
    assert "4 devices, as of" in build_page
    assert v2 in build_page
    assert "Store bundle: 1 active" in build_page


def test_a_codepush_page_links_to_its_build_and_bundle(support: Client, releases: list[CodePush]) -> None:
    page = get_page(support, f"{CODEPUSHES}{releases[0].pk}/change/")

    assert f'href="/admin/builds/build/{releases[0].build_id}/change/"' in page
    assert f'href="{BUNDLES}{releases[0].bundle_id}/change/"' in page
    assert f"/admin/builds/auditentry/?deployment_id={releases[0].deployment_id}" in page


def test_disabling_asks_first_and_then_makes_the_previous_one_live(
    support: Client, staff: User, build: Build, releases: list[CodePush]
) -> None:
    asked = act(support, CODEPUSHES, "disable", releases[2])
    assert "makes the previous enabled success Live again" in asked
    assert f"{releases[2].deployment_id}, v3 of {build}, Northwind Outdoor" in asked
    assert _live_label(build) == "v3"

    act(support, CODEPUSHES, "disable", releases[2], confirmed=True)

    assert _live_label(build) == "v2"
    entry = AuditEntry.objects.get(action=AuditAction.CODEPUSH_EDITED)
    assert (entry.actor, entry.after) == (staff, {"is_enabled": False, "live": "v2"})

    act(support, CODEPUSHES, "enable", releases[2], confirmed=True)

    assert _live_label(build) == "v3"


def test_promoting_publishes_a_copy(support: Client, staff: User, build: Build, releases: list[CodePush]) -> None:
    done = act(support, CODEPUSHES, "promote", releases[0], confirmed=True)

    live = find_live_codepush(build)
    assert live is not None
    assert (live.label, live.source, live.created_by) == ("v4", releases[0], staff)
    assert f"{build}: v4 is Live (references v1)." in done


def test_rolling_back_the_live_one_goes_to_the_previous_success(
    support: Client, build: Build, releases: list[CodePush]
) -> None:
    act(support, CODEPUSHES, "roll_back", releases[2], confirmed=True)

    live = find_live_codepush(build)
    assert live is not None
    assert (live.label, live.source) == ("v4", releases[1])


def test_rolling_back_skips_successes_with_the_bundle_that_is_live(support: Client, build: Build) -> None:
    first = CodePushFactory(build=build)
    second = CodePushFactory(build=build)
    live = CodePushFactory(build=build, bundle=second.bundle)

    act(support, CODEPUSHES, "roll_back", live, confirmed=True)

    newest = find_live_codepush(build)
    assert newest is not None
    assert newest.source == first


@pytest.mark.parametrize(("place", "sentence"), [(0, "no earlier success"), (1, "Review again")])
def test_rolling_back_is_refused_with_a_sentence(
    place: int, sentence: str, support: Client, build: Build, releases: list[CodePush]
) -> None:
    done = act(support, CODEPUSHES, "roll_back", releases[place], confirmed=True)

    assert sentence in done
    assert _live_label(build) == "v3"


def test_one_refusal_does_not_keep_the_others_from_being_done(support: Client, releases: list[CodePush]) -> None:
    failed = CodePushFactory(build=releases[0].build, status=CodePush.Status.FAILED)

    done = act(support, CODEPUSHES, "disable", failed, releases[0], confirmed=True)

    assert "only a CodePush that succeeded can be edited" in done
    releases[0].refresh_from_db()
    assert not releases[0].is_enabled


def test_a_pending_codepush_is_canceled(support: Client, build: Build) -> None:
    pending = CodePushFactory(build=build, status=CodePush.Status.PENDING)

    act(support, CODEPUSHES, "cancel", pending)

    pending.refresh_from_db()
    assert pending.status == CodePush.Status.CANCELED


def test_a_failed_codepush_without_its_archive_is_not_retried(support: Client, build: Build) -> None:
    failed = CodePushFactory(build=build, status=CodePush.Status.FAILED)

    assert "is no longer stored" in act(support, CODEPUSHES, "retry", failed)


def test_a_bundle_is_found_by_its_hash_or_its_codepush(support: Client, releases: list[CodePush]) -> None:
    bundle = releases[1].bundle
    assert bundle is not None
    assert search(support, BUNDLES, bundle.package_hash) == 1
    assert search(support, BUNDLES, releases[1].deployment_id) == 1


@pytest.mark.parametrize("address", [CODEPUSHES, BUNDLES, DIFFS])
def test_a_list_costs_the_same_with_one_row_and_with_twenty(address: str, support: Client, staff: User) -> None:
    def add_row() -> None:
        codepush = CodePushFactory(created_by=staff)
        BundleDiff.objects.create(
            from_bundle=BundleFactory(), to_bundle=codepush.bundle, storage_name=f"{'d' * 64}.zip", size_bytes=1
        )

    with_one = count_list_queries(support, address, add_row, rows=1)
    assert count_list_queries(support, address, add_row, rows=19) == with_one
