"""A form on a page or in a dialog. Here, and only here, a service's refusal becomes a status and a sentence.

htmx asks for the dialog, at the same address: it gets the form without the page around it, and after the act the
address to go to, where a browser gets the redirect.
"""

from hashlib import sha256
from http import HTTPStatus
from typing import Any, cast
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.mixins import AccessMixin
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views import View

from builds import idempotency
from builds.errors import DomainError, InvalidInput, NotAllowedNow
from builds.forms import ServiceForm
from builds.idempotency import KeyedRequest, KeyReused
from deployments.services.checks import BundleTooLarge

# The first class that fits decides.
_STATUS = {
    BundleTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAllowedNow: HTTPStatus.CONFLICT,
}
# Sent along, but no part of what is asked for.
_NOT_ASKED = {"csrfmiddlewaretoken", "request_key"}
# Not Django's own: the page behind a dialog has forms too, with fields of the same names.
_AUTO_ID = "form_%s"
_DONE_BEFORE = "This form had been sent before; it was done once."


def find_status(refusal: DomainError) -> int:
    """The status that tells a browser or a script what kind of refusal it is."""
    return next(status for kind, status in _STATUS.items() if isinstance(refusal, kind))


class FormPage(AccessMixin, View):
    """GET shows the form, POST acts and redirects (303). After a refusal the form is shown again, input kept.

    A subclass says what it is about (`load`), whether that is possible now (`require_possible`), what the page shows
    (`describe`) and what it does (`act`). A POST with `preview` does nothing: it shows what the values would do.
    """

    form_class: type[ServiceForm] = ServiceForm
    template_name: str
    form: ServiceForm
    # A resend would make a second one: the form carries a key, and what was sent with it is done once.
    creates = False

    def load(self, **address: Any) -> None:
        """Get what the page is about, through `access`. Called again after a refusal: the state may have changed."""

    def require_possible(self) -> None:
        """Raises NotAllowedNow when the form has no point in the present state."""

    def next_step(self) -> tuple[str, str] | None:
        """Where to go, and the words for it, when the form has no point: another form, rather than back."""
        return None

    def describe(self) -> dict[str, Any]:
        """What the template needs beside the form."""
        return {}

    def initial(self) -> dict[str, Any]:
        return {}

    def back_url(self) -> str:
        """Where Cancel leads."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Take in what comes with the form: it stays there when the act is refused. Raises DomainError."""

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        """Do it. Returns where to go then, and the sentence shown there. Raises DomainError."""
        raise NotImplementedError

    def make_form(self, *args: Any, **kwargs: Any) -> ServiceForm:
        return self.form_class(*args, **kwargs)

    def respond(self, url: str, message: str) -> HttpResponse:
        """What the browser gets after `act` did it."""
        messages.success(self.request, message)
        if self.is_dialog:
            return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": url})
        return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)

    @property
    def actor(self) -> User:
        # `dispatch` let nobody in who is not signed in.
        return cast(User, self.request.user)

    @property
    def is_dialog(self) -> bool:
        return "HX-Request" in self.request.headers

    @property
    def values(self) -> dict[str, Any]:
        """What the form shown says, as far as it can be understood; elsewhere what it says at first."""
        first = {name: self.form.get_initial_for_field(field, name) for name, field in self.form.fields.items()}
        return {**first, **getattr(self.form, "cleaned_data", {})}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        self.load(**kwargs)
        return super().dispatch(request, *args, **kwargs)

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        """To the sign-in page, and from there back here. htmx cannot be redirected: it is told (401)."""
        sign_in = redirect_to_login(self.request.get_full_path())
        if not self.is_dialog:
            return sign_in
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": sign_in.url})

    def get(self, request: HttpRequest, **address: Any) -> HttpResponse:
        return self._show(None, HTTPStatus.OK)

    def post(self, request: HttpRequest, **address: Any) -> HttpResponse:
        form = self.make_form(request.POST, request.FILES, auto_id=_AUTO_ID)
        is_preview = "preview" in request.POST
        if not form.is_valid() and not (is_preview and self.is_dialog):
            return self._show(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        if is_preview:
            return self._show(form, HTTPStatus.OK, template="_components/what.html" if self.is_dialog else "")
        try:
            url, message = self._act_once(form.cleaned_data)
        except DomainError as refusal:
            form.add_refusal(refusal)
            self.load(**address)
            return self._show(form, find_status(refusal), refusal)
        return self.respond(url, message)

    def _act_once(self, values: dict[str, Any]) -> tuple[str, str]:
        key = self.request.POST.get("request_key")
        if not self.creates or key is None:
            self.prepare()
            return self.act(values)
        asked = KeyedRequest(self.actor, self.request.path, key, _hash_request(self.request))
        try:
            return self._act_with_key(asked, values)
        except KeyReused as reused:
            # A person knows no keys; the form that is shown again has a new one.
            raise NotAllowedNow(
                f"This was sent before with other values, and led to {reused.answer}. Check them and send again."
            ) from reused

    def _act_with_key(self, asked: KeyedRequest, values: dict[str, Any]) -> tuple[str, str]:
        if url := idempotency.find_answer(asked):
            return url, _DONE_BEFORE
        try:
            self.prepare()
        except DomainError:
            # Sent twice at once: the other one was done since, and has used up what this one needs.
            if url := idempotency.find_answer(asked):
                return url, _DONE_BEFORE
            raise
        messages_of_act: list[str] = []

        def act() -> str:
            url, message = self.act(values)
            messages_of_act.append(message)
            return url

        return idempotency.do_once(asked, act), next(iter(messages_of_act), _DONE_BEFORE)

    def _show(
        self, form: ServiceForm | None, status: int, refusal: DomainError | None = None, *, template: str = ""
    ) -> HttpResponse:
        try:
            self.require_possible()
        except NotAllowedNow as obstacle:
            told = {"obstacle": (refusal or obstacle).message, "next_step": self.next_step()}
            return self._render("409.html", told, HTTPStatus.CONFLICT)
        self.form = form if form is not None else self.make_form(auto_id=_AUTO_ID)
        self.form.initial = self.initial()
        context = {"form": self.form, "request_key": uuid4() if self.creates else None, **self.describe()}
        return self._render(template or self.template_name, context, status)

    def _render(self, template: str, context: dict[str, Any], status: int) -> HttpResponse:
        frame = "_components/dialog.html" if self.is_dialog else "base.html"
        context = {"frame": frame, "is_dialog": self.is_dialog, "back_url": self.back_url(), **context}
        response = render(self.request, template, context, status=status)
        # One address, two answers: neither may be shown for the other, also not by the browser's Back button.
        patch_vary_headers(response, ["HX-Request"])
        if self.is_dialog:
            patch_cache_control(response, no_store=True)
        return response


def _hash_request(request: HttpRequest) -> str:
    """Of what was asked for: the same form sent again has the same."""
    fields = sorted((name, value) for name, values in request.POST.lists() for value in values)
    asked = [(name, value) for name, value in fields if name not in _NOT_ASKED]
    files = sorted(
        (name, str(file), _hash_file(cast("UploadedFile[bytes]", file))) for name, file in request.FILES.items()
    )
    return sha256(repr((asked, files)).encode()).hexdigest()


def _hash_file(file: "UploadedFile[bytes]") -> str:
    """Of what is in it: a bundle that was made anew may have the name and the size of the one before."""
    digest = sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
