"""Long lists are shown in pages."""

from typing import Any

from django.core.paginator import Page, Paginator

PAGE_SIZE = 25


def get_page(items: Any, number: str | int | None) -> Page[Any]:
    """The page with this number; the nearest one when there is none. Two queries for a queryset, none for a list."""
    return Paginator(items, PAGE_SIZE).get_page(number)
