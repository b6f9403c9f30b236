"""Long lists are shown in pages."""

from typing import Any

from django.core.paginator import Page, Paginator

PAGE_SIZE = 25


def get_page(items: Any, number: str | int | None, *, count: int | None = None) -> Page[Any]:
    """The page with this number; the nearest one when there is none. Two queries for a queryset, none for a list.

    `count`: how many items there are, where that is known: then one query.
    """
    paginator = Paginator(items, PAGE_SIZE)
    if count is not None:
        # A cached property of Django's: what stands in its place is not asked for.
        paginator.__dict__["count"] = count
    return paginator.get_page(number)
