"""What somebody sends who means no good. Each refusal and each harmless page here has its defence to lose.

Elsewhere: slow clients (tests/flows/test_slow_clients.py), addresses as clients write them (tests/flows/test_paths.py),
archives (tests/bundles/test_bad_archives.py), reports (tests/metrics/test_odd_reports.py), formulas in files
(test_audit_page.py, test_device_pages.py), forms sent twice (test_idempotency.py), bodies over the limit
(test_site_pages.py), headers of webhooks (tests/webhooks/test_services.py).
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from builds.models import Build, Project
from tests.deployments.pages import build_url
from tests.devices import Device, send
from tests.factories import CodePushFactory

AsUser = Callable[[User], Client]
pytestmark = pytest.mark.django_db

PASSWORD = "a-long-password"
EVIL_TEXTS = [
    "{{ 7|add:35 }}{% debug %}{{ request.user.password }}",
    "<img src=x onerror=alert(1)>",
    "</title><script>x",
]


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "http:///evil.example/",
        "javascript:alert(1)",
        "https:evil.example",
    ],
)
def test_signing_in_leads_nowhere_else(client: Client, viewer: User, wanted: str) -> None:
    viewer.set_password(PASSWORD)
    viewer.save()

    response = client.post("/sign-in/", {"username": "vera", "password": PASSWORD, "next": wanted})

    assert response.status_code == 302
    assert "evil" not in response.headers["Location"]
    assert response.headers["Location"].startswith("/projects/")


def test_no_value_that_is_sent_becomes_another_header(client: Client, viewer: User) -> None:
    viewer.set_password(PASSWORD)
    viewer.save()
    evil = "/projects/\r\nSet-Cookie: a=b"

    led_on = client.post("/sign-in/", {"username": "vera", "password": PASSWORD, "next": evil})
    assert led_on.headers["Location"] == "/projects/%0D%0ASet-Cookie:%20a=b"
    for response in (client.get("/healthz", headers={"X-Request-ID": evil}), led_on):
        assert "Set-Cookie" not in response.headers["X-Request-ID"]
        assert not any("\n" in value or "\r" in value for value in response.headers.values())


def test_signing_out_leads_nowhere_else(as_user: AsUser, viewer: User) -> None:
    response = as_user(viewer).post("/sign-out/", {"next": "https://evil.example/"})

    assert response.headers["Location"] == "/sign-in/"


@pytest.mark.parametrize("name", ["HTTP_HOST", "SERVER_NAME"])
def test_a_forged_host_is_refused(client: Client, name: str) -> None:
    assert client.get("/sign-in/", **{name: "evil.example"}).status_code == 400  # type: ignore[arg-type]


def test_a_host_that_only_a_header_names_is_not_believed(viewer: User, settings: Settings) -> None:
    """Not even one that this server has: who writes it would be taken for the site itself."""
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    client = Client(enforce_csrf_checks=True)
    client.force_login(viewer)
    token = client.get("/account/edit/").cookies["csrftoken"].value
    forged = {"Origin": "http://other.example", "X-Forwarded-Host": "other.example"}

    response = client.post("/account/edit/", {"first_name": "Evil", "csrfmiddlewaretoken": token}, headers=forged)

    assert response.status_code == 403


@pytest.mark.usefixtures("bundle_folder")
def test_an_update_leads_to_the_host_that_was_asked(device: Device, build: Build) -> None:
    CodePushFactory(build=build)
    device.headers = {"Host": "updates.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}

    assert device.check().update["download_url"].startswith("http://updates.example/api/bundles/")


@pytest.mark.usefixtures("bundle_folder")
@pytest.mark.parametrize(
    "host", ["evil.example/x?", "a b", "evil.example\r\nSet-Cookie: a=b", "me@evil.example", "<x>"]
)
def test_a_host_that_is_none_is_in_no_answer_to_a_device(device: Device, build: Build, host: str) -> None:
    CodePushFactory(build=build)
    device.headers = {"Host": host}
    reply = device.check()

    # What the server calls itself instead.
    assert reply.update["download_url"].startswith("http://127.0.0.1:80/api/bundles/")
    assert not any("\n" in value for value in reply.headers.values())


@pytest.mark.parametrize("path", ["/api/bundles/../secret_key", "/api/bundles//etc/passwd"])
def test_no_address_of_a_bundle_leads_out_of_its_folder(path: str, bundle_folder: Path) -> None:
    """As servers hand addresses on: `%2f` is a slash by then (tests/flows/test_paths.py)."""
    bundle_folder.mkdir()
    (bundle_folder.parent / "secret_key").write_text("secret")

    assert send("GET", path).status == 404


@pytest.mark.parametrize("text", EVIL_TEXTS)
def test_texts_of_people_are_shown_as_they_are(
    as_user: AsUser, viewer: User, build: Build, project: Project, text: str
) -> None:
    CodePushFactory(build=build, description=text)
    project.name, project.description = text[:100], text
    project.save()

    for address in ("/projects/", f"/projects/{project.slug}/", build_url(build), "/deployments/", "/search/?q=%7B%7B"):
        page = as_user(viewer).get(address, follow=True)
        source = page.content.decode()
        assert page.status_code == 200
        assert "<img src=x" not in source
        assert "<script>x" not in source
        assert "{{ 7|add:35 }}" in source or "add:35" not in text or "search" in address


@pytest.mark.parametrize("field", ["name", "description", "repository_url"])
@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\x07"])
def test_no_text_turns_others_around(as_user: AsUser, outsider: User, field: str, character: str) -> None:
    values = {"name": "Calm", "slug": "calm", "description": "", "repository_url": "", field: f"safe{character}gnp.exe"}

    response = as_user(outsider).post("/projects/new/", values)

    assert response.status_code == 422
    assert f"U+{ord(character):04X}" in response.content.decode()
    assert not Project.objects.filter(slug="calm").exists()


def test_an_account_has_no_name_that_reads_otherwise(as_user: AsUser, viewer: User) -> None:
    response = as_user(viewer).post("/account/edit/", {"first_name": "\u202eareV", "last_name": "", "email": ""})

    assert response.status_code == 422
    viewer.refresh_from_db()
    assert viewer.first_name == "Vera"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_of_ten_megabytes_is_refused(as_user: AsUser, outsider: User, content_type: str) -> None:
    filling = b"a" * 10_000_000
    part = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n%s\r\n--x--\r\n'
    body = part % filling if "multipart" in content_type else b"name=" + filling

    response = as_user(outsider).generic("POST", "/projects/new/", body, content_type=content_type)

    assert response.status_code == 400
    assert Project.objects.count() == 1


def test_a_form_of_ten_thousand_fields_is_refused(as_user: AsUser, outsider: User) -> None:
    fields = {f"field-{number}": "" for number in range(10_000)}

    assert as_user(outsider).post("/projects/new/", {"name": "Calm", "slug": "calm", **fields}).status_code == 400
    assert not Project.objects.filter(slug="calm").exists()


def test_a_form_from_elsewhere_is_refused(viewer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(viewer)
    token = client.get("/account/edit/").cookies["csrftoken"].value
    other = Client(enforce_csrf_checks=True)
    other.force_login(viewer)

    # Without its token; with that of another browser; and from another site.
    for browser, sent in ((client, ""), (other, token)):
        values = {"first_name": "Evil", "csrfmiddlewaretoken": sent}
        assert browser.post("/account/edit/", values).status_code == 403
    values = {"first_name": "Evil", "csrfmiddlewaretoken": token}
    assert client.post("/account/edit/", values, headers={"Origin": "https://evil.example"}).status_code == 403
    viewer.refresh_from_db()
    assert viewer.first_name == "Vera"
