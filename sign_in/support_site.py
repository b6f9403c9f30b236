"""Django's admin behind the sign-in of everybody: its own would ask for no second factor."""

from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from builds.second_factor import has_second_factor
from sign_in.views.sign_in import SignIn


class SupportSite(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, with a second factor where STAFF_NEEDS_SECOND_FACTOR says so: then one query more."""
        if not super().has_permission(request):
            return False
        return not settings.STAFF_NEEDS_SECOND_FACTOR or has_second_factor(request.user.pk)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Who is signed in and still not let in is told why."""
        user = request.user
        if not user.is_authenticated:
            return cast(HttpResponse, SignIn.as_view(next_page="admin:index")(request))
        if user.is_staff and user.is_active:
            if self.has_permission(request):
                return redirect("admin:index")
            return render(request, "accounts/staff_factor_needed.html", status=HTTPStatus.FORBIDDEN)
        told = {"exception": "Only support staff may open the admin."}
        return render(request, "403.html", told, status=HTTPStatus.FORBIDDEN)
