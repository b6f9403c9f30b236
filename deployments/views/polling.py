"""Live refresh: open pages ask for a fragment again and again. As long as nothing has changed, the answer is 304."""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from time import time

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

# Seconds between two looks at the server: often while somebody waits for a result, seldom otherwise.
POLL_BUSY, POLL_IDLE = 3, 30
# Any fragment is rendered anew this often: what only time changes, and names of people, are never older than that.
_TAG_SECONDS = 300


def make_tag(request: HttpRequest, *values: object) -> str:
    """The validator of what this person sees; `values` differ whenever what is shown at one address does.

    Page and fragment have the same, so that the first poll of a page finds nothing new. To be made before the content
    is read: it may then be newer than its tag, which costs one more answer, and never older.
    """
    period = int(time()) // _TAG_SECONDS
    stamp = repr((period, request.user.pk, values))
    return f'"{blake2b(stamp.encode(), digest_size=12).hexdigest()}"'


def answer_poll(
    request: HttpRequest, tag: str, render: Callable[[], HttpResponse], *, as_of: datetime | None = None
) -> HttpResponse:
    """304 when the page that asks has this very state, else what `render` makes. Both say as of when numbers are."""
    response = get_conditional_response(request, etag=tag) or render()
    response.headers["ETag"] = tag
    # Pages keep the tag themselves; a copy in the browser's cache would outlive the session.
    response.headers["Cache-Control"] = "private, no-store"
    if as_of is not None:
        response.headers["X-As-Of"] = as_of.isoformat(timespec="seconds")
    return response


def end_session() -> HttpResponse:
    """Nobody is signed in any more: htmx reloads the whole page, which leads to the sign-in page and back."""
    return HttpResponse(status=401, headers={"HX-Refresh": "true"})
