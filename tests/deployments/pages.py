"""Addresses and checks that tests of pages share."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from builds.models import Build
from deployments.models import CodePush
from metrics.aggregation import apply_waiting_reports
from metrics.models import ReportLogEntry

AsUser = Callable[[User], Client]


def build_url(build: Build, rest: str = "") -> str:
    return f"/projects/{build.project.slug}/builds/{build.pk}/{rest}"


def codepush_url(codepush: CodePush, action: str) -> str:
    return build_url(codepush.build, f"codepush/{codepush.deployment_id}/{action}/")


def text_of(response: Any) -> str:
    """The page as people read it: without the escapes of HTML."""
    return unescape(response.content.decode())


def assert_led_to(response: Any, codepush: CodePush) -> None:
    """The action was done, and the browser is sent to the card."""
    assert response.status_code == 303
    assert response.headers["Location"].split("?")[0].split("#")[0] == build_url(codepush.build)
    assert response.headers["Location"].endswith(f"#{codepush.deployment_id}")


def assert_refused(response: Any, status: int, sentence: str) -> None:
    assert response.status_code == status
    assert sentence in text_of(response)


def preview(client: Client, address: str, **fields: str) -> list[str]:
    """What the form there says will happen with these values: its rows ("3 devices …"), then its notes."""
    response = client.post(address, {"preview": "1", **fields}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return rows_of(response)


def rows_of(response: Any) -> list[str]:
    """What the page, or its part, says will happen."""
    what = text_of(response).split('id="what"')[1].split("</section>")[0]
    rows = [f"{count} {text}" for count, text in re.findall(r"<li><b>(.*?)</b><span>(.*?)</span></li>", what)]
    return rows + re.findall(r'<p class="what-n">(.*?)</p>', what)


def report_installed(build: Build, label: str, device_count: int, *, first: int = 0) -> None:
    """Devices `first`… say that they run the label; "" says the bundle of the store."""
    event = "installed" if label else "binary_started"
    ReportLogEntry.objects.bulk_create(
        ReportLogEntry(
            event=event,
            deployment_key=build.deployment_key,
            client_unique_id=f"device {number}",
            label=label,
            app_version=build.store_version,
        )
        for number in range(first, first + device_count)
    )
    apply_waiting_reports()


def report_outcomes(build: Build, label: str, *, installs: int, rollbacks: int) -> None:
    """So many devices say that they installed it, and so many others that it failed on them."""
    ReportLogEntry.objects.bulk_create(
        ReportLogEntry(
            event="installed" if number < installs else "fallback",
            deployment_key=build.deployment_key,
            client_unique_id=f"phone {number}",
            label=label,
        )
        for number in range(installs + rollbacks)
    )
    apply_waiting_reports()
