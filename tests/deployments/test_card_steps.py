"""What a card says while a worker is at it, and what it advises when that failed."""

import re

import pytest
from django.contrib.auth.models import User

from builds.models import Build
from deployments.models import CodePush
from deployments.services.codepushes import retry
from deployments.services.processing import process_codepush
from tests.deployments.pages import AsUser, build_url, codepush_url, text_of
from tests.deployments.stories import release, sample, small_archive
from tests.factories import CodePushFactory


@pytest.mark.parametrize(
    ("step", "done", "now", "ahead"),
    [
        ("queued", ["Uploaded"], [], ["Check", "Build patches", "Publish as Live"]),
        ("checking", ["Uploaded"], ["Checking"], ["Build patches", "Publish as Live"]),
        ("storing", ["Uploaded"], ["Checking"], ["Build patches", "Publish as Live"]),
        ("diffing", ["Uploaded", "Checked"], ["Building patches"], ["Publish as Live"]),
        ("publishing", ["Uploaded", "Checked", "Patches built"], ["Publishing as Live"], []),
    ],
)
def test_the_steps_say_what_is_done_what_it_is_at_and_what_is_ahead(
    as_user: AsUser, viewer: User, build: Build, step: str, done: list[str], now: list[str], ahead: list[str]
) -> None:
    CodePushFactory(build=build, status="processing", step=step, progress_percent=62, finished_at=None)
    page = as_user(viewer).get(build_url(build))

    (card,) = page.context["page"].cards
    assert [s.name for s in card.steps if s.is_done] == done
    assert [s.name for s in card.steps if s.is_now] == now
    assert [s.name for s in card.steps if not s.is_done and not s.is_now] == ahead
    assert "62%" in text_of(page)


def _actions(page: str) -> list[str]:
    """What the card offers to do, on the right of its foot."""
    footer = page.split('<div class="cp-f">')[1].split('<span class="sp">')[1].split("</article>", maxsplit=1)[0]
    return re.findall(r"</svg>([A-Z][a-z ]+)<", footer)


def test_a_failure_that_lies_in_the_bundle_advises_another_bundle_first(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    Build.objects.update(hermes_bytecode_version=94)
    failed = release(build, release_manager, sample("android-v1"), description="New basket", rollout_percent=20)
    client = as_user(release_manager)
    page = text_of(client.get(build_url(build)))

    assert failed.fails_again
    assert _actions(page) == ["Retry", "Upload a new bundle"]
    assert "The same bundle would fail the same way: upload a new one." in page
    retrying = text_of(client.get(codepush_url(failed, "retry")))
    assert "the same bundle will fail the same way" in retrying
    assert 'btn-primary" type="submit"' not in retrying
    new = f"{build_url(build, 'codepush/new/')}?like={failed.deployment_id}"
    assert new in page
    assert new in retrying
    form = client.get(new).context["form"]
    assert (form["description"].value(), form["rollout_percent"].value()) == ("New basket", 20)


def test_a_failure_of_the_server_advises_a_retry(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployments.services.processing.read_checked", lambda *args, **kwargs: 1 / 0)
    failed = release(build, release_manager, small_archive())
    client = as_user(release_manager)

    assert not failed.fails_again
    assert _actions(text_of(client.get(build_url(build)))) == ["Retry"]
    assert ">Retry</button>" in text_of(client.get(codepush_url(failed, "retry")))


def test_what_is_known_of_a_failure_goes_with_the_retry(build: Build, release_manager: User) -> None:
    Build.objects.update(hermes_bytecode_version=94)
    failed = release(build, release_manager, sample("android-v1"))
    Build.objects.update(hermes_bytecode_version=96)

    retry(failed.pk, actor=release_manager)
    process_codepush(failed.pk)

    again = CodePush.objects.get()
    assert (again.label, again.fails_again) == ("v1", False)


@pytest.mark.parametrize("like", ["dpl_UNKNOWN", "%00", "x" * 500, ""])
def test_a_form_like_an_unknown_one_is_as_any(as_user: AsUser, release_manager: User, build: Build, like: str) -> None:
    elsewhere = CodePushFactory(description="Another build's")
    client = as_user(release_manager)
    for other in (like, elsewhere.deployment_id):
        response = client.get(build_url(build, "codepush/new/"), {"like": other})
        assert response.status_code == 200
        assert "Another build's" not in text_of(response)
