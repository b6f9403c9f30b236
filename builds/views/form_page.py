"""A form on a page of its own. Here, and only here, a service's refusal becomes a status and a sentence on the page."""

from http import HTTPStatus
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.mixins import AccessMixin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from builds.errors import DomainError, InvalidInput, NotAllowedNow
from builds.forms import ServiceForm
from deployments.services.checks import BundleTooLarge

# The first class that fits decides.
_STATUS = {
    BundleTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAllowedNow: HTTPStatus.CONFLICT,
}


def find_status(refusal: DomainError) -> int:
    """The status that tells a browser or a script what kind of refusal it is."""
    return next(status for kind, status in _STATUS.items() if isinstance(refusal, kind))


class FormPage(AccessMixin, View):
    """GET shows the form, POST acts and redirects (303). After a refusal the form is shown again, input kept.

    A subclass says what it is about (`load`), whether that is possible now (`require_possible`), what the page shows
    (`describe`) and what it does (`act`).
    """

    form_class: type[ServiceForm] = ServiceForm
    template_name: str

    def load(self, **address: Any) -> None:
        """Get what the page is about, through `access`. Called again after a refusal: the state may have changed."""

    def require_possible(self) -> None:
        """Raises NotAllowedNow when the form has no point in the present state."""

    def describe(self) -> dict[str, Any]:
        """What the template needs beside the form."""
        return {}

    def initial(self) -> dict[str, Any]:
        return {}

    def back_url(self) -> str:
        """Where Cancel leads."""
        raise NotImplementedError

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        """Do it. Returns where to go then, and the sentence shown there. Raises DomainError."""
        raise NotImplementedError

    def make_form(self, *args: Any, **kwargs: Any) -> ServiceForm:
        return self.form_class(*args, **kwargs)

    def respond(self, url: str, message: str) -> HttpResponse:
        """What the browser gets after `act` did it."""
        messages.success(self.request, message)
        return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)

    @property
    def actor(self) -> User:
        # `dispatch` let nobody in who is not signed in.
        return cast(User, self.request.user)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        self.load(**kwargs)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **address: Any) -> HttpResponse:
        return self._show(self.make_form(initial=self.initial()), HTTPStatus.OK)

    def post(self, request: HttpRequest, **address: Any) -> HttpResponse:
        form = self.make_form(request.POST, request.FILES, initial=self.initial())
        if not form.is_valid():
            return self._show(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            url, message = self.act(form.cleaned_data)
        except DomainError as refusal:
            form.add_refusal(refusal)
            self.load(**address)
            return self._show(form, find_status(refusal), refusal)
        return self.respond(url, message)

    def _show(self, form: ServiceForm, status: int, refusal: DomainError | None = None) -> HttpResponse:
        try:
            self.require_possible()
        except NotAllowedNow as obstacle:
            told = {"obstacle": (refusal or obstacle).message, "back_url": self.back_url()}
            return render(self.request, "409.html", told, status=HTTPStatus.CONFLICT)
        context = {"form": form, "back_url": self.back_url(), **self.describe()}
        return render(self.request, self.template_name, context, status=status)
