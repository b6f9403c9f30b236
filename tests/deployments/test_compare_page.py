"""Compare two bundles of a build."""

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from deployments.models import Bundle, BundleDiff, BundleFileSizes, CodePush
from deployments.views.comparison import MAX_LISTED
from tests.deployments.pages import AsUser, assert_refused, build_url, codepush_url, text_of
from tests.deployments.stories import release, small_archive
from tests.factories import BuildFactory, BundleFactory, CodePushFactory

# Session and user; membership with project, build, the two CodePushes; bundles, diff, choices; what is under way.
PAGE_QUERIES = 8


def compare_url(old: CodePush, new: CodePush, query: str = "") -> str:
    return codepush_url(new, f"compare/{old.deployment_id}") + query


def pick_url(codepush: CodePush, query: str = "") -> str:
    return codepush_url(codepush, "compare") + query


@pytest.fixture
def pair(build: Build, release_manager: User) -> list[CodePush]:
    """v1 and v2 as a worker made them: the script grew, one file went, one came, one stayed."""
    return [
        release(build, release_manager, small_archive("run()", stays="same", goes="x" * 2000)),
        release(build, release_manager, small_archive("run(12345)", stays="same", comes="y" * 300)),
    ]


def with_files(build: Build, manifest: dict[str, str]) -> CodePush:
    codepush: CodePush = CodePushFactory(build=build, bundle=BundleFactory(manifest=manifest))
    return codepush


def test_files_sizes_and_the_download_are_shown(as_user: AsUser, viewer: User, pair: list[CodePush]) -> None:
    old, new = pair
    response = as_user(viewer).get(compare_url(old, new))
    page = text_of(response)
    diff = BundleDiff.objects.get(from_bundle=old.bundle, to_bundle=new.bundle)
    assert response.context["comparison"].download_bytes == diff.size_bytes
    assert [(s.title, s.total_count, s.difference_bytes) for s in response.context["sections"]] == [
        ("Changed", 1, 5),
        ("Added", 1, 300),
        ("Removed", 1, -2000),
    ]
    assert response.context["comparison"].files.unchanged_count == 1
    for shown in ("What changes from v1 to v2", "The diff,", "Plain JavaScript", "−2.0 kB", "+300 B", "+5 B", "goes"):
        assert shown in page
    assert "stays" not in page


def test_the_other_direction_has_no_diff_and_costs_the_whole_bundle(
    as_user: AsUser, viewer: User, pair: list[CodePush]
) -> None:
    old, new = pair
    assert f'href="{compare_url(new, old)}"' in text_of(as_user(viewer).get(compare_url(old, new)))
    response = as_user(viewer).get(compare_url(new, old))
    assert old.bundle is not None
    assert response.context["comparison"].download_bytes == old.bundle.size_bytes
    assert "The whole bundle: no diff was made from v2." in text_of(response)


def test_a_bundle_from_before_sizes_were_kept_says_so(as_user: AsUser, viewer: User, pair: list[CodePush]) -> None:
    BundleFileSizes.objects.filter(bundle=pair[0].bundle).delete()
    page = text_of(as_user(viewer).get(compare_url(pair[0], pair[1])))
    assert "Sizes of files are not known for bundles stored before they were kept." in page
    assert "+300 B" in page
    assert "+5 B" not in page


def test_sizes_of_an_old_bundle_are_kept_when_it_is_uploaded_again(
    build: Build, release_manager: User, pair: list[CodePush]
) -> None:
    BundleFileSizes.objects.all().delete()
    again = release(build, release_manager, small_archive("run()", stays="same", goes="x" * 2000))
    assert again.bundle == pair[0].bundle
    assert BundleFileSizes.objects.get().bytes_by_path == {
        "CodePush/index.android.bundle": 5,
        "CodePush/stays": 4,
        "CodePush/goes": 2000,
    }


def test_the_same_bundle_under_two_labels_has_no_difference(as_user: AsUser, viewer: User, build: Build) -> None:
    first = CodePushFactory(build=build)
    copy = CodePushFactory(build=build, bundle=first.bundle, origin="rollback", source=first)
    page = text_of(as_user(viewer).get(compare_url(first, copy)))
    assert "v1 and v2 carry the same bundle. A device that runs one downloads nothing for the other." in page
    assert "Both sides are v1" in text_of(as_user(viewer).get(compare_url(first, first)))


def test_bundles_that_differ_in_their_signature_only_cost_no_download(
    as_user: AsUser, viewer: User, build: Build
) -> None:
    first = with_files(build, {"a": "1"})
    signed = with_files(build, {"a": "1", "s/.codepushrelease": "2"})
    assert first.bundle is not None
    assert signed.bundle is not None
    Bundle.objects.filter(pk=signed.bundle.pk).update(package_hash=first.bundle.package_hash)
    page = text_of(as_user(viewer).get(compare_url(first, signed)))
    assert "Only the signature differs, and devices tell bundles apart without it." in page


def test_a_path_is_escaped_and_shows_what_would_be_invisible(as_user: AsUser, viewer: User, build: Build) -> None:
    old = with_files(build, {})
    new = with_files(build, {"<script>alert(1)</script>": "1", "a/\u202egnp.exe": "2"})
    content = as_user(viewer).get(compare_url(old, new, "?q=%3Cb%3E")).content.decode()
    assert "&lt;b&gt;" in content
    content = as_user(viewer).get(compare_url(old, new)).content.decode()
    assert "<script>alert" not in content
    assert "\u202e" not in content
    assert "&lt;U+202E&gt;gnp.exe" in content


def test_paths_are_filtered_and_long_lists_say_what_is_left_out(as_user: AsUser, viewer: User, build: Build) -> None:
    old = with_files(build, {})
    new = with_files(build, {f"drawable/{number}.png": "1" for number in range(MAX_LISTED + 12)})
    page = text_of(as_user(viewer).get(compare_url(old, new)))
    assert page.count('class="full path"') == MAX_LISTED
    assert "12 more files not listed. Filter by a part of the path to see them." in page
    filtered = text_of(as_user(viewer).get(compare_url(old, new, "?q=/499.PNG")))
    assert filtered.count('class="full path"') == 1
    assert "1 of 512" in filtered
    assert "No file that differs has" in text_of(as_user(viewer).get(compare_url(old, new, "?q=nothing")))


def test_the_number_of_queries_does_not_grow(
    as_user: AsUser, viewer: User, build: Build, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = as_user(viewer)
    old, new = with_files(build, {}), with_files(build, {"one": "1"})
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(compare_url(old, new))
    for _ in range(20):
        new = with_files(build, {f"file {number}": "1" for number in range(50)})
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(compare_url(old, new))


# Picking what to compare.


def test_the_previous_different_bundle_is_picked(as_user: AsUser, viewer: User, build: Build) -> None:
    first, second = CodePushFactory.create_batch(2, build=build)
    CodePushFactory(build=build, status="failed")
    copy = CodePushFactory(build=build, bundle=second.bundle, origin="promote", source=second)
    assert as_user(viewer).get(pick_url(copy)).headers["Location"] == compare_url(first, copy)


def test_others_are_picked_by_address_and_unknown_ones_ignored(as_user: AsUser, viewer: User, build: Build) -> None:
    first, second, third = CodePushFactory.create_batch(3, build=build)
    client = as_user(viewer)
    chosen = pick_url(third, f"?of={second.deployment_id}&with={third.deployment_id}")
    assert client.get(chosen).headers["Location"] == compare_url(third, second)
    assert client.get(pick_url(third, "?of=dpl_X&with=")).headers["Location"] == compare_url(second, third)
    only_of = pick_url(third, f"?of={second.deployment_id}")
    assert client.get(only_of).headers["Location"] == compare_url(first, second)


def test_without_an_earlier_bundle_the_page_says_so(as_user: AsUser, viewer: User, build: Build) -> None:
    first = CodePushFactory(build=build)
    response = as_user(viewer).get(pick_url(first))
    assert_refused(response, 200, "No earlier update of this build has another bundle than v1")
    assert 'name="with"' not in text_of(response)
    CodePushFactory(build=build)
    assert 'name="with"' in text_of(as_user(viewer).get(pick_url(first)))


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("pending", "waits for a worker, so it has no bundle to compare yet."),
        ("processing", "is being processed, so it has no bundle to compare yet."),
        ("failed", "failed, so it has no bundle to compare."),
        ("canceled", "was canceled, so it has no bundle to compare."),
    ],
)
def test_what_has_no_bundle_cannot_be_compared(
    as_user: AsUser, viewer: User, build: Build, status: str, sentence: str
) -> None:
    success, other = CodePushFactory(build=build), CodePushFactory(build=build, status=status)
    for url in (pick_url(other), compare_url(success, other), compare_url(other, success)):
        assert_refused(as_user(viewer).get(url), 409, f"The update {other.deployment_id} {sentence}")


def test_only_members_compare_and_only_within_a_build(
    as_user: AsUser, viewer: User, outsider: User, build: Build
) -> None:
    first, second = CodePushFactory.create_batch(2, build=build)
    elsewhere = CodePushFactory(build=BuildFactory(project=build.project))
    for url in (compare_url(first, second), pick_url(second)):
        assert as_user(outsider).get(url).status_code == 404
        assert as_user(viewer).post(url).status_code == 405
    assert as_user(viewer).get(compare_url(elsewhere, second)).status_code == 404
    assert as_user(viewer).get(build_url(build, "codepush/dpl_NONE/compare/")).status_code == 404
    with_other = pick_url(second, f"?with={elsewhere.deployment_id}")
    assert as_user(viewer).get(with_other).headers["Location"] == compare_url(first, second)
