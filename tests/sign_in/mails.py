"""Mails as people get them: pages leave a message for a worker, which these tests are."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail as outbox

from sign_in import tasks

Queued = list[tuple[Any, tuple[object, ...]]]


class Mailbox:
    """`deliver()` does what was left for the worker; then `links_to(address)` are the links in the mails there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queued: Queued = []
        for task in (tasks.send_password_reset, tasks.send_email_change, tasks.send_invitation, tasks.send_notice):
            monkeypatch.setattr(task, "delay", self._keep(task))

    def _keep(self, task: Any) -> Callable[..., None]:
        return lambda *arguments: self.queued.append((task, arguments))

    def deliver(self) -> None:
        for task, arguments in self.queued:
            task(*arguments)
        self.queued.clear()

    def links_to(self, address: str) -> list[str]:
        self.deliver()
        bodies = [str(each.body) for each in outbox.outbox if each.to == [address]]
        links = [link for body in bodies for link in re.findall(r"^http\S+$", body, re.MULTILINE)]
        return [link.removeprefix("http://testserver") for link in links]

    def link_to(self, address: str) -> str:
        """The one in the latest mail."""
        return self.links_to(address)[-1]
