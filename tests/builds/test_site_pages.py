"""Signing in, what every answer carries, pages of refusal, and health."""

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.template.loader import render_to_string
from django.test import Client
from pytest_django.fixtures import Settings

from builds.models import Project
from codepush_site.middleware import CONTENT_SECURITY_POLICY
from tests.architecture.source import ROOT

AsUser = Callable[[User], Client]


def test_signing_in_leads_back_to_where_one_wanted_to_go(client: Client, viewer: User) -> None:
    viewer.set_password("a-long-password")
    viewer.save()
    wanted = client.get("/projects/northwind-outdoor/")
    assert wanted.headers["Location"] == "/sign-in/?next=/projects/northwind-outdoor/"
    response = client.post(wanted.headers["Location"], {"username": "vera", "password": "a-long-password"})
    assert response.headers["Location"] == "/projects/northwind-outdoor/"


def test_a_wrong_password_is_refused_in_words(client: Client, viewer: User) -> None:
    response = client.post("/sign-in/", {"username": "vera", "password": "wrong"})
    assert "This name and password do not belong together." in response.content.decode()


def test_signing_out_ends_the_session(as_user: AsUser, viewer: User) -> None:
    client = as_user(viewer)
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert client.get("/projects/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 302),
        ("/sign-in/", 200),
        ("/healthz", 200),
        ("/nothing-here/", 404),
        ("/admin/login/", 200),
        ("/sign-in/?next=%00", 400),
        ("/deployments/rows/", 401),
    ],
)
def test_every_answer_carries_the_content_security_policy(client: Client, path: str, status: int) -> None:
    response = client.get(path)
    assert (response.status_code, response.headers["Content-Security-Policy"]) == (status, CONTENT_SECURITY_POLICY)
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.django_db
def test_a_fault_and_a_wrong_host_carry_the_content_security_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)

    def fail(*args: object, **values: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("django.contrib.auth.views.LoginView.dispatch", fail)
    for response, status in ((client.get("/sign-in/"), 500), (client.get("/healthz", headers={"Host": "evil"}), 400)):
        assert (response.status_code, response.headers["Content-Security-Policy"]) == (status, CONTENT_SECURITY_POLICY)


def test_htmx_runs_no_code_from_pages_and_asks_no_other_host(client: Client, db: None) -> None:
    page = unescape(client.get("/sign-in/").content.decode())
    config = json.loads(page.split('name="htmx-config" content=\'')[1].split("'")[0])
    assert config == {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
    }


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_no_template_has_inline_script_or_style(path: Path) -> None:
    source = path.read_text()
    assert "<style" not in source
    assert "<script>" not in source
    for attribute in (" style=", " onclick=", " onsubmit=", " onchange="):
        assert attribute not in source


def test_an_outsiders_404_does_not_say_whether_the_project_exists(
    as_user: AsUser, outsider: User, project: Project
) -> None:
    client = as_user(outsider)
    existing, missing = client.get(f"/projects/{project.slug}/"), client.get("/projects/nothing/")
    assert existing.status_code == missing.status_code == 404
    for response in (existing, missing):
        assert "There is nothing at this address, or you are not a member" in response.content.decode()
        assert project.name not in response.content.decode()


def test_a_body_over_the_limit_is_refused_before_it_is_read(client: Client, settings: Settings) -> None:
    settings.MAX_BUNDLE_BYTES = 5_000_000
    response = client.generic("POST", "/sign-in/", b"", CONTENT_LENGTH="6000001")
    assert response.status_code == 413
    assert "larger than 5 MB" in response.content.decode()
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize(("announced", "status"), [("²", 403), ("-1", 403), ("9" * 5000, 413)])
@pytest.mark.django_db
def test_an_announced_length_that_is_no_length_is_no_fault(announced: str, status: int) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.generic("POST", "/sign-in/", b"", CONTENT_LENGTH=announced).status_code == status


@pytest.mark.parametrize("address", ["/projects/%00/", "/projects/?q=%00", "/admin/builds/build/?deployment_key=%00"])
def test_a_nul_in_an_address_is_refused(support: Client, address: str) -> None:
    response = support.get(address)
    assert response.status_code == 400
    assert "could not read this request" in response.content.decode()


@pytest.mark.django_db
def test_a_nul_in_a_cookie_is_refused(client: Client) -> None:
    assert client.get("/sign-in/", HTTP_COOKIE='sessionid="\\000aaaaaaaaaa"').status_code == 400


def test_liveness_touches_nothing(client: Client) -> None:
    # Without the database fixture any query would fail the test.
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_readiness_looks_at_database_and_storage(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = ""
    response = client.get("/readyz")
    assert response.status_code == 200
    assert json.loads(response.content) == {"ready": True, "parts": {"database": "ok", "bundle_storage": "ok"}}


@pytest.mark.django_db
def test_readiness_names_the_part_that_fails(client: Client, settings: Settings, bundle_folder: Path) -> None:
    bundle_folder.write_text("a file where the folder should be")
    settings.REDIS_URL = "redis://127.0.0.1:1"
    response = client.get("/readyz")
    assert response.status_code == 503
    parts = json.loads(response.content)["parts"]
    assert parts["database"] == "ok"
    assert parts["bundle_storage"].startswith("failed")
    assert parts["redis"].startswith("failed")


def test_a_page_without_the_database_says_so_and_that_phones_are_answered(as_user: AsUser, viewer: User) -> None:
    client = as_user(viewer)

    def fail(*args: object) -> None:
        raise OperationalError("The database is away.")

    with connection.execute_wrapper(fail):
        response = client.get("/projects/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert "Phones are still answered" in response.content.decode()


def test_the_page_of_a_fault_needs_neither_database_nor_session() -> None:
    # Django renders it without a request: whatever failed may fail again.
    page = render_to_string("500.html")
    assert "The server could not finish this" in page
    assert "Sign out" not in page


@pytest.mark.parametrize("status", ["400", "403", "403_csrf", "404", "500", "503"])
def test_every_page_of_refusal_leads_on_without_a_request(status: str) -> None:
    page = render_to_string(f"{status}.html")
    assert "<h1>" in page
    assert 'href="/projects/">Go to projects' in page


def test_the_sign_in_page_says_whom_to_ask(client: Client, db: None) -> None:
    assert "Ask who runs this server." in client.get("/sign-in/").content.decode()
