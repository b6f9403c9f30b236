"""Who may see and do what, on every page there is."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse

from builds import urls as build_urls
from builds.models import AuditEntry, Build
from deployments import urls as deployment_urls
from deployments.models import CodePush
from metrics import urls as metrics_urls
from metrics.aggregation import hash_client
from tests.deployments.pages import AsUser, codepush_url, report_installed, text_of
from tests.factories import BuildFactory, CodePushFactory

# Open to everybody who is signed in; they show nothing of a project that is not theirs.
WITHOUT_PROJECT = {"project_list", "project_new"}
READ_ONLY = {"project_detail", "build_detail", "build_cards", "device_list", "device_export", "device_detail"}
PATTERNS = [
    pattern
    for pattern in [*build_urls.urlpatterns, *deployment_urls.urlpatterns, *metrics_urls.urlpatterns]
    if isinstance(pattern, URLPattern) and pattern.name not in WITHOUT_PROJECT
]
ids = [str(pattern.name) for pattern in PATTERNS]


def _address(pattern: URLPattern, codepush: CodePush) -> str:
    values = {
        "slug": codepush.build.project.slug,
        "build_id": codepush.build_id,
        "deployment_id": codepush.deployment_id,
        "client_hash": hash_client("device 0"),
    }
    wanted = pattern.pattern.converters
    return reverse(str(pattern.name), kwargs={name: values[name] for name in wanted})


@pytest.fixture
def codepush(build: Build) -> CodePush:
    found: CodePush = CodePushFactory(build=build)
    report_installed(build, found.label, 1)
    return found


@pytest.mark.parametrize("pattern", PATTERNS, ids=ids)
def test_every_page_of_a_project_is_a_404_to_outsiders(
    as_user: AsUser, outsider: User, codepush: CodePush, pattern: URLPattern
) -> None:
    client, address = as_user(outsider), _address(pattern, codepush)
    assert client.get(address).status_code == 404
    if pattern.name not in READ_ONLY:
        assert client.post(address).status_code == 404


@pytest.mark.parametrize("pattern", PATTERNS, ids=ids)
def test_every_page_leads_who_is_not_signed_in_to_the_sign_in_page(
    client: Client, codepush: CodePush, pattern: URLPattern
) -> None:
    address = _address(pattern, codepush)
    response = client.get(address)
    if pattern.name == "build_cards":
        # A fragment cannot redirect its page; it tells htmx to reload it.
        assert (response.status_code, response.headers["HX-Refresh"]) == (401, "true")
    else:
        assert response.headers["Location"] == f"/sign-in/?next={address}"


@pytest.mark.parametrize("pattern", PATTERNS, ids=ids)
def test_a_viewer_reads_every_page_and_posts_none(
    as_user: AsUser, viewer: User, codepush: CodePush, pattern: URLPattern
) -> None:
    client, address = as_user(viewer), _address(pattern, codepush)
    if pattern.name in READ_ONLY:
        assert client.get(address).status_code == 200
        assert client.post(address).status_code == 405
        return
    entries = AuditEntry.objects.count()
    for response in (client.get(address), client.post(address)):
        assert response.status_code == 403
        assert "You need the Release manager role in Northwind Outdoor." in text_of(response)
    assert AuditEntry.objects.count() == entries


def _mixed_up(codepush: CodePush) -> Iterator[str]:
    """Addresses whose parts exist, but do not belong together."""
    elsewhere = BuildFactory()
    neighbour = BuildFactory(project=codepush.build.project)
    slug = codepush.build.project.slug
    yield f"/projects/{slug}/builds/{elsewhere.pk}/"
    yield f"/projects/{slug}/builds/{neighbour.pk}/codepush/{codepush.deployment_id}/edit/"
    yield f"/projects/{slug}/builds/{codepush.build_id}/codepush/{CodePushFactory().deployment_id}/edit/"
    yield f"/projects/{slug}/builds/{codepush.build_id}/codepush/dpl_NOTHING/edit/"
    yield f"/projects/{slug}/builds/{'9' * 30}/"


def test_objects_of_another_project_or_build_are_a_404(as_user: AsUser, owner: User, codepush: CodePush) -> None:
    client = as_user(owner)
    for address in _mixed_up(codepush):
        assert client.get(address).status_code == 404, address


def test_a_viewer_sees_rollback_but_it_leads_nowhere(as_user: AsUser, viewer: User, owner: User, build: Build) -> None:
    CodePushFactory(build=build)
    live = CodePushFactory(build=build)
    address = f"/projects/{build.project.slug}/builds/{build.pk}/"
    page = text_of(as_user(viewer).get(address))
    assert codepush_url(live, "rollback") not in page
    assert "Rollback<" in page
    assert 'aria-disabled="true" title="You need the Release manager role."' in page
    assert codepush_url(live, "rollback") in text_of(as_user(owner).get(address))
