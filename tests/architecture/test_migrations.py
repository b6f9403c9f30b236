"""The database can be made from nothing, unmade, and is what the models say."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.architecture.source import ROOT


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    output = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=output)

    assert "No changes detected" in output.getvalue()


def test_an_empty_database_can_be_migrated_and_back(tmp_path: Path) -> None:
    """On the embedded database; the suite makes its own from nothing as well, on whichever it runs."""
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"VAR_DIR": str(tmp_path)}
    steps = (
        ["migrate"],
        ["migrate", "webhooks", "zero"],
        ["migrate", "metrics", "zero"],
        ["migrate", "deployments", "zero"],
        ["migrate", "builds", "zero"],
    )
    script = "; ".join(f"call_command(*{step!r}, verbosity=0)" for step in (*steps, ["migrate"], ["check"]))
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import django; django.setup(); from django.core.management import call_command; {script}",
        ],
        cwd=ROOT,
        env=environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
