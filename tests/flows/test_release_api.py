"""The release API of a running product: what a pipeline does with it, and that it keeps its own document."""

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.flows import person
from tests.flows.product import ROOT, Product

# `make fuzz` tries more of them, and others each time.
_EXAMPLES = os.environ.get("SCHEMA_EXAMPLES")
_EFFORT = ["--max-examples", _EXAMPLES] if _EXAMPLES else ["--max-examples", "8", "--seed", "1"]


@pytest.mark.timeout(1800 if _EXAMPLES else 120)
def test_the_api_keeps_its_document(product: Product) -> None:
    """Every check of schemathesis: documented statuses and shapes, wrong values refused, no access without a token."""
    build = product.person("make_build")
    for sample in ("android-v1.zip", "android-v2.zip"):
        product.person("publish", build_id=build["id"], sample=sample)
    token = product.manage("create_token", "--user", person.USERNAME).strip()

    command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{product.url}/api/v1/openapi.json"]
    options = ["--checks", "all", "--header", f"Authorization: Bearer {token}", "--no-color", *_EFFORT]
    run = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout
    assert "31 selected / 31 total" in run.stdout


class _Pipeline:
    """A job that has the client, the address of the server, and a token."""

    def __init__(self, product: Product, username: str = person.USERNAME, project: str = person.SLUG) -> None:
        token = product.manage("create_token", "--user", username, "--project", project).strip()
        self.environment = os.environ | {"CODEPUSH_URL": product.url, "CODEPUSH_TOKEN": token}

    def run(self, *words: object, exit_code: int = 0, **environment: str) -> str:
        """What the client said on standard output, or, where it failed as it should, on standard error."""
        done = subprocess.run(
            [sys.executable, "-m", "codepush_cli", *map(str, words)],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stderr if exit_code else done.stdout

    def ask(self, *words: object) -> Any:
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the bundler wrote: the files of the 889 kB sample."""
    with zipfile.ZipFile(person.SAMPLES / "android-v2.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / "CodePush"


def test_a_pipeline_releases_a_folder_until_it_is_live(
    product: Product, worker: subprocess.Popen[bytes], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build, pipeline = product.person("make_build"), _Pipeline(product)
    # A worker takes a second to start; what is measured is a product in use, the better of two.
    pipeline.run("release", folder, "--build", build["id"], "--watch")
    seconds = []
    for path, key in ((person.SAMPLES / "android-v1.zip", "job-6"), (folder, "job-7")):
        started_at = time.time()
        said = pipeline.run("release", path, "--build", build["id"], "--watch", "--idempotency-key", key)
        seconds.append(time.time() - started_at)

    with capsys.disabled():
        print(f"\nRelease of 889 kB with the client → Live: {min(seconds):.2f} s")
    assert min(seconds) < 3
    assert said.startswith("v3 is Live (dpl_")
    product.wait_for_label(build["key"], "v3", 5)

    again = pipeline.ask("release", folder, "--build", build["id"], "--idempotency-key", "job-7")
    assert again["deployment_id"] in said
    failed = pipeline.run("release", folder, "--build", build["id"], "--watch", exit_code=4)
    assert "identical to v3" in failed
    assert pipeline.ask("history", "--build", build["id"])["count"] == 4


def test_a_pipeline_does_what_people_do(product: Product) -> None:
    build = product.person("make_build", store_version="7.1.0", platform="ios", build_target="staging")
    pipeline = _Pipeline(product)
    for sample in ("ios-v1.zip", "ios-v2.zip"):
        product.person("publish", build_id=build["id"], sample=sample)
    build_options = ["--project", person.SLUG, "--platform", "ios", "--target", "staging", "--store-version", "7.1.0"]

    back = pipeline.ask("rollback", *build_options, "--to", "v1", "--reason", "Crashes")
    assert (back["label"], back["is_live"], back["references"], back["reason"]) == ("v3", True, "v1", "Crashes")
    assert pipeline.ask("promote", *build_options, "--label", "v2")["label"] == "v4"
    assert pipeline.ask("edit", *build_options, "--rollout", 40, "--mandatory")["rollout_percent"] == 40
    assert "v4 is Live" in pipeline.run("status", *build_options)
    assert "v4     Live" in pipeline.run("history", *build_options)
    assert pipeline.ask("metrics", *build_options)["total_devices"] == 0
    assert "v3, the newest enabled update" in pipeline.run("explain", *build_options)
    disabled = pipeline.run("edit", back["deployment_id"], "--disable")
    assert disabled == f"v3 is disabled ({back['deployment_id']}, rollout 100%, same bundle as v1).\n"


def test_pipelines_ask_a_second_person_who_answers(product: Product, worker: subprocess.Popen[bytes]) -> None:
    product.person("make_build")
    build = product.person("make_guarded_build")
    on_it = ["--build", build["id"]]
    rosa, cem = _Pipeline(product, "rosa", "guarded"), _Pipeline(product, "cem", "guarded")

    archive = person.SAMPLES / "android-v1.zip"
    waits = rosa.run("release", archive, *on_it, "--rollout", 50, "--reason", "Fixes the cart", "--watch")
    deployment_id = re.findall(r"dpl_\w+", waits)[0]
    assert waits == (
        f"{deployment_id} is waiting.\n"
        f"Devices get it once somebody else approves it: codepush approve {deployment_id}\n"
    )
    assert f"Release at 50%  {deployment_id}  rosa" in cem.run("requests", *on_it)
    assert "Somebody else must approve it." in rosa.run("approve", deployment_id, exit_code=1)
    assert "(Release at 50%, " in cem.run("approve", deployment_id)
    assert "v1 is Live" in rosa.run("status", *on_it)

    more = ["edit", *on_it, "--rollout", 100]
    assert 'Say why: --ask "…".' in rosa.run(*more, exit_code=1)
    assert rosa.ask(*more, "--ask", "No crashes")["status"] == "waiting"
    assert "is refused. Refused by cem: Not on a Friday" in cem.run(
        "reject", *on_it, "--label", "v1", "--reason", "Not on a Friday"
    )
    number = rosa.ask(*more, "--ask", "It is Monday")["id"]
    assert "is withdrawn" in rosa.run("withdraw", number)
    assert "Nothing waits" in cem.run("approve", *on_it, exit_code=1)
    assert len(cem.ask("requests", *on_it, "--all")["items"]) == 3

    rosa.run("edit", *on_it, "--disable")
    assert "waits for a second person, until" in rosa.run("edit", *on_it, "--label", "v1", "--enable", "--ask", "Again")
    assert cem.ask("approve", *on_it)["status"] == "approved"
    assert "v1 is Live" in rosa.run("status", *on_it)


def test_whatever_goes_wrong_is_a_sentence_and_an_exit_code(product: Product, tmp_path: Path) -> None:
    build, pipeline = product.person("make_build"), _Pipeline(product)
    assert "no CodePush that is Live" in pipeline.run("status", "--build", build["id"], exit_code=1)
    assert "valid token" in pipeline.run("history", "--build", 1, exit_code=1, CODEPUSH_TOKEN="cpc_wrong")
    assert "There is no build 999999" in pipeline.run("history", "--build", 999999, exit_code=1)
    assert "Which build?" in pipeline.run("history", exit_code=2)
    assert "CODEPUSH_URL" in pipeline.run("history", "--build", 1, exit_code=2, CODEPUSH_URL="")
    assert "holds no files" in pipeline.run("release", tmp_path, "--build", build["id"], exit_code=2)
    assert "has 'android'" in pipeline.run(
        "release", person.SAMPLES / "ios-v1.zip", "--build", build["id"], "--platform", "ios", exit_code=1
    )
    assert "Tried 5 times" in pipeline.run("history", "--build", 1, exit_code=3, CODEPUSH_URL="http://127.0.0.1:1")


def test_a_pipeline_that_waits_too_long_is_told_how_to_go_on(product: Product) -> None:
    build, pipeline = product.person("make_build"), _Pipeline(product)
    archive = person.SAMPLES / "android-v1.zip"
    said = pipeline.run("release", archive, "--build", build["id"], "--watch", "--timeout", 0.5, exit_code=5)
    assert "pending after 0.5 s" in said
