"""Dockerfile and compose file, which are not built here: what they call exists, and says the same as the Procfile."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery
from django.conf import settings
from django.core.management import get_commands
from granian.cli import cli as granian

ROOT = Path(settings.BASE_DIR)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PRODUCT = ("release", "web", "worker", "numbers", "hooks", "beat")


def _procfile(name: str) -> str:
    (line,) = re.findall(rf"^{name}: (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    return str(line.partition("$PYTHON ")[2])


def _granian_options(line: str) -> set[str]:
    return set(re.findall(r"--[a-z-]+", line))


@pytest.mark.parametrize("name", ["worker", "numbers", "hooks", "beat"])
def test_workers_are_started_as_by_the_procfile(name: str) -> None:
    command = COMPOSE["services"][name]["command"].removeprefix("python ")

    assert command == _procfile(name)
    assert shlex.split(command)[shlex.split(command).index("codepush_site") + 1] in celery.commands


def test_the_web_process_is_started_as_by_the_procfile() -> None:
    (command,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    options = _granian_options(command)
    known = {name for parameter in granian.params for name in (*parameter.opts, *parameter.secondary_opts)}

    assert options == _granian_options(_procfile("web"))
    assert options <= known


def test_every_command_of_manage_py_exists() -> None:
    called = set(re.findall(r"manage\.py (\w+)", DOCKERFILE + str(COMPOSE)))

    assert called == {"migrate", "collectstatic"}
    assert called <= set(get_commands())


def test_every_variable_is_one_that_the_product_reads() -> None:
    sources = [(ROOT / "codepush_site" / f"{name}.py").read_text() for name in ("settings", "sign_in_settings")]
    read = {name for source in sources for name in re.findall(r'read_\w+\(\s*"([A-Z_]+)"', source)}
    given = {name for service in PRODUCT for name in COMPOSE["services"][service]["environment"]}

    assert given <= read
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "STORAGE_URL", "PUBLIC_URL"} <= given


def test_the_image_has_the_python_that_the_requirements_are_locked_for() -> None:
    assert "FROM python:3.11-slim" in DOCKERFILE
    assert "--python-version 3.11" in (ROOT / "Makefile").read_text()
    assert sys.version_info >= (3, 11)
    assert all((ROOT / name).exists() for name in re.findall(r"^COPY (\S+)", DOCKERFILE, re.MULTILINE))
