"""Filters and tags that write numbers, times and small parts of pages."""

from datetime import datetime, timedelta
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from builds import formats, sparkline
from builds.models import Platform

register = template.Library()

_SPRITE = "vendor/tabler-icons-3.51.0.svg"
_PLATFORM_ICONS = {Platform.IOS: "brand-apple", Platform.ANDROID: "brand-android", Platform.HUAWEI: "device-mobile"}
_STORES = {Platform.IOS: "App Store", Platform.ANDROID: "Google Play", Platform.HUAWEI: "AppGallery"}
_ICON_HUES = 6
# What `action` makes.
_PAGE_LINK = '<a class="btn {}" href="{}">{}{}{}</a>'
_FORM_LINK = '<a class="btn {}" href="{}" data-dialog>{}{}{}</a>'
_STILL = '<button class="btn {}" type="button" aria-disabled="true" title="{}" aria-label="{}. {}">{}{}</button>'

register.filter("count", formats.format_count)
register.filter("plural", formats.format_plural)
register.filter("share_of", formats.format_share)
register.filter("sparkline", sparkline.draw_sparkline)
register.filter("size", formats.format_bytes)
register.filter("size_difference", formats.format_difference)


@register.filter
def milliseconds(duration_ms: int) -> str:
    return formats.format_duration(duration_ms / 1000)


@register.filter
def duration(length: timedelta) -> str:
    return formats.format_duration(length.total_seconds())


@register.filter
def elapsed(moment: datetime) -> str:
    """How long it has been going on: "3 min"."""
    return formats.format_elapsed(moment, timezone.now())


@register.simple_tag
def moment(when: datetime) -> SafeString:
    """Day and time of day, with the exact time in UTC for machines and for who points at it."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        when.isoformat(timespec="seconds"),
        formats.format_exact(when),
        formats.format_moment(when, timezone.now()),
    )


@register.simple_tag
def ago(moment: datetime) -> SafeString:
    """How long ago, with the exact time in UTC for machines, and for who points at it or reaches it with a key.

    Open pages keep it up to date.
    """
    return format_html(
        '<time datetime="{}" title="{}" tabindex="0" data-ago>{}</time>',
        moment.isoformat(timespec="seconds"),
        formats.format_exact(moment),
        formats.format_ago(moment, timezone.now()),
    )


@register.simple_tag
@lru_cache(maxsize=1000)
def icon(name: str, css: str = "") -> SafeString:
    """A decorative icon: what it means stands beside it in words. A page of cards has hundreds."""
    address = f"{static(_SPRITE)}#i-{name}"
    return format_html('<svg class="ic {}" aria-hidden="true"><use href="{}"/></svg>', css, address)


@register.filter
def platform_icon(platform: str) -> str:
    return _PLATFORM_ICONS[Platform(platform)]


@register.filter
def store_name(platform: str) -> str:
    """Where devices of the platform get their binaries."""
    return _STORES[Platform(platform)]


@register.filter
def store_place(platform: str) -> str:
    """The same in a sentence: "the App Store", "Google Play"."""
    return f"the {store_name(platform)}" if platform == Platform.IOS else store_name(platform)


@register.filter
def hue(number: int) -> int:
    """Which of the icon colours a project has; it keeps it for life."""
    return number % _ICON_HUES


@register.simple_tag
def action(
    href: str,
    text: str,
    *,
    glyph: str = "",
    of: str = "",
    css: str = "btn-text btn-sm",
    obstacle: str = "",
    is_page: bool = False,
) -> SafeString:
    """A link that looks like a button. With an obstacle it stays in place, does nothing, and says why.

    It leads to a form, which may open in a dialog; to a page with `is_page`.
    `of`: what it acts on, for people who hear the page: "Rollback" of "v7".
    """
    # Not a template of its own: a page of cards has a hundred of these.
    if obstacle:
        name = f"{text} {of}" if of else text
        return format_html(_STILL, css, obstacle, name, obstacle, icon(glyph or "lock"), text)
    told = format_html('<span class="vh"> {}</span>', of) if of else ""
    return format_html(_PAGE_LINK if is_page else _FORM_LINK, css, href, icon(glyph) if glyph else "", text, told)
