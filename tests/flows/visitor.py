"""A person at the dashboard without JavaScript: opens pages, fills in their forms, follows redirects."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Self

import httpx


class Visitor:
    """One browser session. `page` is what it shows."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, follow_redirects=True, timeout=30)
        self.page = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def open(self, path: str) -> None:
        self._show(self._client.get(path))

    def submit(self, *, file: Path | None = None, **values: str) -> None:
        """Send the form of the page that has these fields, with its other fields as the page filled them in.

        `file` goes into the field `bundle`.
        """
        wanted = {*values, "bundle"} if file else set(values)
        form = next(form for form in _read_forms(self.page) if wanted <= form.keys())
        form.pop("bundle", None)
        files = {"bundle": (file.name, file.read_bytes(), "application/zip")} if file else None
        self._show(
            self._client.post(self._address, data=form | values, files=files, headers={"Referer": self._address})
        )

    def _show(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, f"{answer.url}: {answer.status_code}\n{answer.text[:2000]}"
        self._address = str(answer.url)
        self.page = answer.text


def _read_forms(page: str) -> list[dict[str, str]]:
    """{field: value} of each form, as a browser would send it untouched."""
    reader = _FormReader()
    reader.feed(page)
    return reader.forms


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        name = attributes.get("name")
        if tag == "form":
            self.forms.append({})
        elif self.forms and name and tag in ("input", "textarea"):
            is_unchecked = attributes.get("type") in ("checkbox", "radio") and "checked" not in attributes
            if not is_unchecked:
                self.forms[-1][name] = attributes.get("value") or ""
