"""What somebody sees who may not see what they asked for."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import permission_denied

from builds.access import SecondFactorNeeded


def show_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Where a second factor is missing, the page leads to where one is set up."""
    if isinstance(exception, SecondFactorNeeded):
        told = {"project": exception.project}
        return render(request, "accounts/factor_needed.html", told, status=HTTPStatus.FORBIDDEN)
    return permission_denied(request, exception)
