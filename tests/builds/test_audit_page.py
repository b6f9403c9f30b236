"""/audit/: who did what in the projects of a person, and the same as a file."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds import audit
from builds.models import AuditAction, AuditEntry, Build, Membership, Project, Role
from builds.paging import PAGE_SIZE
from deployments.services.codepushes import edit_codepush
from tests.deployments.pages import AsUser, build_url, text_of
from tests.factories import BuildFactory, CodePushFactory, MembershipFactory, ProjectFactory

URL = "/audit/"


def entry(project: Project, action: str = "member.added", **fields: Any) -> AuditEntry:
    fields = {"actor": None, **fields}
    return audit.record(AuditAction(action), project=project, **fields)


def reasons(client: Client, query: str = "") -> list[str]:
    """As listed; entries of these tests are told apart by their reasons."""
    return [row.entry.reason for row in client.get(f"{URL}{query}").context["rows"]]


def rows_of_csv(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/audit.csv{query}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    written = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(written)))


def test_an_edit_is_told_value_by_value(as_user: AsUser, viewer: User, release_manager: User, build: Build) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=25)
    edit_codepush(codepush.pk, actor=release_manager, rollout_percent=75, is_mandatory=True)
    page = text_of(as_user(viewer).get(URL))
    for shown in ("CodePush edited", "Elif Kaya", "Northwind Outdoor", "Rollout", ">25%<", ">75%<", "Mandatory"):
        assert shown in page
    assert f"{build_url(build)}?deployment={codepush.deployment_id}#{codepush.deployment_id}" in page
    assert "{" not in page.split("<tbody>")[1].split("</tbody>")[0]


def test_an_entry_leads_to_what_it_is_about(as_user: AsUser, viewer: User, project: Project, build: Build) -> None:
    entry(project)
    entry(project, "build.registered", build=build)
    urls = [row.url for row in as_user(viewer).get(URL).context["rows"]]
    assert urls == [build_url(build), f"/projects/{project.slug}/"]


def test_only_entries_of_the_persons_projects_are_told(
    as_user: AsUser, viewer: User, outsider: User, project: Project
) -> None:
    entry(project, reason="ours")
    entry(Project.objects.get(slug="elsewhere"), reason="theirs")
    assert reasons(as_user(viewer)) == ["ours"]
    assert reasons(as_user(outsider)) == ["theirs"]
    # Asking for somebody else's project is as asking for none.
    assert reasons(as_user(viewer), "?project=elsewhere") == ["ours"]
    assert [row["reason"] for row in rows_of_csv(as_user(viewer))] == ["ours"]


@pytest.fixture
def log(viewer: User, owner: User, release_manager: User, outsider: User, project: Project, build: Build) -> None:
    """Newest first: by the worker, by somebody who left, by Elif on the build, by Olga in another project."""
    second = ProjectFactory(slug="second", name="Second")
    for user in (viewer, owner):
        MembershipFactory(project=second, user=user, role=Role.VIEWER)
    entry(second, actor=owner, reason="olga")
    entry(project, "codepush.edited", build=build, deployment_id="dpl_AAAA2222", actor=release_manager, reason="elif")
    entry(project, "build.registered", build=BuildFactory(project=project), actor=outsider, reason="left")
    entry(project, "codepush.succeeded", reason="worker")


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?project=second", ["olga"]),
        ("?actor={olga}", ["olga"]),
        ("?actor={outsider}", ["worker", "left", "elif", "olga"]),
        ("?actor=worker", ["worker"]),
        ("?actor=left", ["left"]),
        ("?action=codepush.edited", ["elif"]),
        ("?action=codepush.edited&actor=worker", []),
        ("?q=dpl_aaaa2222", ["elif"]),
        ("?q=%23{build}", ["elif"]),
        ("?q=whatever", []),
        ("?since=2026-01-01&until=2026-01-02", []),
        ("?since=0001-01-01&until=9999-12-31", ["worker", "left", "elif", "olga"]),
        ("?project=x&actor=x&action=x&since=x&until=2026-13-40&after=x", ["worker", "left", "elif", "olga"]),
    ],
)
def test_filters_narrow_the_list_and_unknown_values_are_ignored(
    as_user: AsUser, viewer: User, owner: User, outsider: User, build: Build, query: str, found: list[str]
) -> None:
    address = query.format(olga=owner.pk, outsider=outsider.pk, build=build.pk)
    assert reasons(as_user(viewer), address) == found
    assert [row["reason"] for row in rows_of_csv(as_user(viewer), address)] == found


def test_both_days_are_included(as_user: AsUser, viewer: User, project: Project) -> None:
    for day, hour in ((1, 0), (2, 23), (3, 0)):
        AuditEntry.objects.create(
            project=project,
            action="member.added",
            actor_name="x",
            reason=str(day),
            created_at=datetime(2026, 3, day, hour, 59 if hour else 0, tzinfo=UTC),
        )
    client = as_user(viewer)
    assert reasons(client, "?since=2026-03-01&until=2026-03-02") == ["2", "1"]
    assert reasons(client, "?since=2026-03-03") == ["3"]
    assert reasons(client, "?until=2026-03-01") == ["1"]


def test_older_entries_are_a_page_away(as_user: AsUser, viewer: User, project: Project) -> None:
    for number in range(PAGE_SIZE + 2):
        entry(project, reason=str(number))
    client = as_user(viewer)
    first = client.get(URL)
    assert len(first.context["rows"]) == PAGE_SIZE
    after = first.context["next_after"]
    assert f"?after={after}" in text_of(first)
    older = client.get(f"{URL}?after={after}")
    assert [row.entry.reason for row in older.context["rows"]] == ["1", "0"]
    assert older.context["next_after"] is None
    assert "Newest" in text_of(older)


def test_an_empty_log_says_why(as_user: AsUser, viewer: User) -> None:
    client = as_user(viewer)
    assert "Nothing has been done in your projects yet." in text_of(client.get(URL))
    assert "No entries match." in text_of(client.get(f"{URL}?actor=worker"))
    assert "No older entries." in text_of(client.get(f"{URL}?after=1"))
    Membership.objects.all().delete()
    assert client.get(URL).status_code == 200


def test_texts_of_people_are_neither_markup_nor_formulas(as_user: AsUser, viewer: User, project: Project) -> None:
    entry(project, after={"name": "<script>alert(1)</script>"}, reason="=HYPERLINK(1)")
    client = as_user(viewer)
    assert "<script>alert" not in client.get(URL).content.decode()
    (row,) = rows_of_csv(client)
    assert row["reason"] == "'=HYPERLINK(1)"
    assert row["changes"] == "Name: <script>alert(1)</script>"


def test_the_file_names_time_person_and_object(
    as_user: AsUser, viewer: User, release_manager: User, build: Build
) -> None:
    codepush = CodePushFactory(build=build)
    edit_codepush(codepush.pk, actor=release_manager, rollout_percent=50)
    (row,) = rows_of_csv(as_user(viewer))
    assert datetime.fromisoformat(row.pop("time")).tzinfo is not None
    assert row == {
        "who": "Elif Kaya",
        "what": "CodePush edited",
        "project": "Northwind Outdoor",
        "build": str(codepush.build),
        "deployment_id": codepush.deployment_id,
        "changes": "Rollout: 100% → 50%",
        "reason": "",
    }


@pytest.mark.parametrize("address", [URL, "/audit.csv"])
def test_whoever_is_not_signed_in_signs_in_first(client: Client, db: None, address: str) -> None:
    assert client.get(address).headers["Location"] == f"/sign-in/?next={address}"


@pytest.mark.parametrize("entry_count", [1, 20])
def test_the_page_costs_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, release_manager: User, entry_count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(entry_count):
        build = BuildFactory()
        MembershipFactory(project=build.project, user=viewer, role=Role.VIEWER)
        entry(build.project, "build.registered", build=build, actor=release_manager)
    client = as_user(viewer)
    # Session, user; projects, their members, entries with project and build; what is under way, for the header.
    with django_assert_num_queries(6):
        client.get(URL)
    with django_assert_num_queries(5):
        rows_of_csv(client)
