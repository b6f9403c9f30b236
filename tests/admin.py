"""Steps that tests of admin pages share, and what holds for every such page."""

import re
from collections.abc import Callable

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

# What the content security policy forbids: a script or style within the page.
_INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)


def get_page(client: Client, address: str, **query: str) -> str:
    """The page, after a check that it holds nothing inline."""
    answer = client.get(address, query)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    page = answer.content.decode()
    assert not _INLINE.search(page), f"{address} holds {_INLINE.search(page)}"
    return page


def search(client: Client, address: str, words: str) -> int:
    """How many rows the list shows for the words."""
    return get_page(client, address, q=words).count('class="action-select"') or len(
        re.findall(r'<th class="field-', get_page(client, address, q=words))
    )


def act(client: Client, address: str, action: str, *chosen: models.Model, confirmed: bool = False) -> str:
    """The page after the action was chosen in the list (and confirmed)."""
    form = {"action": action, ACTION_CHECKBOX_NAME: [str(row.pk) for row in chosen]}
    answer = client.post(address, form | ({"confirmed": "1"} if confirmed else {}), follow=True)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert not _INLINE.search(page)
    return page


def assert_is_view_only(client: Client, address: str, pk: int) -> None:
    """The object is shown, without a field or button; nobody can add, change or delete one."""
    page = get_page(client, f"{address}{pk}/change/")
    form = page[page.index('id="content-main"') :]
    assert 'name="_save"' not in form
    assert not re.search(r'<(input type="(?!hidden)|textarea|select)', form)
    assert client.post(f"{address}{pk}/change/", {"description": "changed"}).status_code == 403
    assert client.get(f"{address}add/").status_code == 403
    assert client.post(f"{address}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in get_page(client, address)


def count_list_queries(client: Client, address: str, add_row: Callable[[], object], *, rows: int) -> int:
    """Queries of the list once this many rows were added."""
    for _ in range(rows):
        add_row()
    with CaptureQueriesContext(connection) as queries:
        get_page(client, address)
    return len(queries)
