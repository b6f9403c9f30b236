"""`ensure_demo` and `prepare`: the demo is there after the first call, and left alone by the next."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from builds.models import Build, StoreStatus
from deployments import demo
from deployments.models import CodePush
from deployments.selectors import find_live_codepush

pytestmark = pytest.mark.django_db


def _describe() -> list[tuple[str, str, str, str, int]]:
    rows = CodePush.objects.order_by("id").select_related("build")
    return [(c.build.deployment_key, c.label, c.status, c.origin, c.rollout_percent) for c in rows]


def test_the_demo_has_a_release_of_every_kind() -> None:
    demo.ensure_demo()

    assert _describe() == [
        ("demo-northwind-android-412", "v1", "success", "upload", 100),
        ("demo-northwind-ios-412", "v1", "success", "upload", 100),
        ("demo-northwind-android-420", "v1", "success", "upload", 100),
        ("demo-northwind-android-420", "v2", "success", "upload", 100),
        ("demo-northwind-android-420", "v3", "success", "rollback", 100),
        ("demo-northwind-ios-420", "v1", "success", "upload", 100),
        ("demo-northwind-ios-420", "v2", "success", "upload", 25),
        ("demo-northwind-android-430-staging", "", "failed", "upload", 100),
    ]
    assert "Hermes bytecode 96" in CodePush.objects.get(status="failed").failure_reason


def test_the_newer_build_of_each_platform_is_live_in_the_store() -> None:
    demo.ensure_demo()

    live = Build.objects.filter(store_status=StoreStatus.LIVE)
    assert {(build.platform, build.store_version) for build in live} == {("android", "4.2.0"), ("ios", "4.2.0")}
    replaced = Build.objects.filter(store_version="4.1.2")
    assert all(build.was_store_live and build.store_status == StoreStatus.APPROVED for build in replaced)


def test_a_second_call_changes_nothing() -> None:
    demo.ensure_demo()
    before = _describe()

    demo.ensure_demo()

    assert _describe() == before


def test_an_account_that_exists_keeps_its_password_and_rights() -> None:
    own = User.objects.create_user("demo", password="somebody's own")

    demo.ensure_demo()

    own.refresh_from_db()
    assert own.check_password("somebody's own")
    assert not own.is_staff


def test_what_people_changed_in_the_demo_stays() -> None:
    demo.ensure_demo()
    build = Build.objects.get(deployment_key="demo-northwind-android-420")
    live = find_live_codepush(build)
    assert live is not None
    CodePush.objects.filter(pk=live.pk).update(description="Edited")

    demo.ensure_demo()

    live.refresh_from_db()
    assert live.description == "Edited"
    assert build.codepushes.count() == 3


def test_prepare_prints_the_login_only_with_the_demo(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings.VAR_DIR = tmp_path_factory.mktemp("var")
    settings.STATIC_ROOT = settings.VAR_DIR / "static"
    without, with_demo = StringIO(), StringIO()

    call_command("prepare", "--demo=0", stdout=without)
    call_command("prepare", "--demo=1", stdout=with_demo)

    assert without.getvalue() == ""
    assert "demo / demo-password-1" in with_demo.getvalue()
    assert (settings.STATIC_ROOT / "admin" / "css" / "base.css").exists()
