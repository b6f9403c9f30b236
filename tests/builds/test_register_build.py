import re
from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.errors import InvalidInput
from builds.models import AuditEntry, Build, Project
from builds.services import register_build
from tests.deployments.stories import audited, refused

ANDROID: dict[str, Any] = {"platform": "android", "build_target": "production", "store_version": "3.0.0"}


def test_ci_registers_a_build_before_compiling_and_gets_its_key(project: Project, release_manager: User) -> None:
    with audited("build.registered"):
        build = register_build(
            project, actor=release_manager, **ANDROID, branch="main", commit="4f2a9c1", hermes_bytecode_version=96
        )

    stored = Build.objects.get(pk=build.pk)
    assert (stored.status, stored.started_at, stored.finished_at) == ("pending", None, None)
    # Letters and digits: no command line takes it for an option, and a double click selects it whole.
    assert re.fullmatch(r"[A-Za-z0-9]{36}", stored.deployment_key)
    assert (stored.triggered_by, stored.branch, stored.commit) == (release_manager, "main", "4f2a9c1")
    assert (stored.hermes_bytecode_version, stored.store_status, stored.is_force_updated) == (96, "none", False)
    entry = AuditEntry.objects.get()
    assert (entry.build, entry.project, entry.after) == (build, project, {**ANDROID, "status": "pending"})


def test_each_build_has_a_key_of_its_own(project: Project) -> None:
    keys = {register_build(project, actor=None, **ANDROID).deployment_key for _ in range(3)}

    assert len(keys) == 3


@pytest.mark.parametrize(
    ("status", "is_started", "is_finished"),
    [
        ("pending", False, False),
        ("running", True, False),
        ("success", True, True),
        ("failed", True, True),
        ("canceled", True, True),
    ],
)
def test_a_build_made_elsewhere_is_registered_as_it_stands(
    project: Project, status: str, is_started: bool, is_finished: bool
) -> None:
    build = register_build(project, actor=None, **ANDROID, status=status)

    assert (build.started_at is not None, build.finished_at is not None) == (is_started, is_finished)


def test_a_key_from_another_server_can_be_brought_along(project: Project) -> None:
    build = register_build(project, actor=None, **ANDROID, deployment_key="brought-from_elsewhere0")

    assert Build.objects.get(deployment_key="brought-from_elsewhere0") == build


def test_a_key_of_another_build_is_refused(project: Project, build: Build) -> None:
    with refused(InvalidInput, build.deployment_key, "another build", field="deployment_key"):
        register_build(project, actor=None, **ANDROID, deployment_key=build.deployment_key)


@pytest.mark.parametrize("version", ["3", "3.0", "3.0.0", "3.0.0-beta.1", "3.0.0+7", "10.20.30"])
def test_what_reads_as_a_version_is_taken_as_written(project: Project, version: str) -> None:
    assert register_build(project, actor=None, **{**ANDROID, "store_version": version}).store_version == version


@pytest.mark.parametrize("version", ["", "abc", "v3.0.0", " 3.0.0", "=3.0.0", "3.0.0.0", "03.0.0", "3.x"])
def test_what_is_no_version_is_refused(project: Project, version: str) -> None:
    with refused(InvalidInput, repr(version), field="store_version"):
        register_build(project, actor=None, **{**ANDROID, "store_version": version})


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"platform": "windows"}, "platform"),
        ({"build_target": "qa"}, "build_target"),
        ({"status": "done"}, "status"),
        ({"deployment_key": "short"}, "deployment_key"),
        ({"deployment_key": "not a key, with blanks"}, "deployment_key"),
        ({"deployment_key": "ends-with-newline\n"}, "deployment_key"),
        ({"deployment_key": "x" * 101}, "deployment_key"),
        ({"hermes_bytecode_version": -1}, "hermes_bytecode_version"),
        ({"commit": "x" * 65}, "commit"),
        ({"branch": "a\0b"}, "branch"),
        ({"store_version": "3.0.0\n"}, "store_version"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_value_that_cannot_be_taken_is_refused_by_its_field(
    project: Project, values: dict[str, Any], field: str
) -> None:
    with refused(InvalidInput, field=field):
        register_build(project, actor=None, **{**ANDROID, **values})
