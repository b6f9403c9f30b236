"""When somebody was last here, for the list of their sessions."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from sign_in import sessions


class LastSeenMiddleware:
    """Pages count; what an open page asks for by itself does not: somebody may have left it open.

    No query, but for one page in five minutes: then two, and the session is written.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Only where the answer depended on who asked: nothing else is worth reading a session for.
        if response.status_code == HTTPStatus.OK and request.session.accessed and "HX-Request" not in request.headers:
            user_id = request.session.get(SESSION_KEY)
            if user_id is not None:
                sessions.note_seen(request.session, int(user_id), browser=request.META.get("HTTP_USER_AGENT", ""))
        return response
