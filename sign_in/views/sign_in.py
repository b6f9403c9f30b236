"""Signing in by password, and what to do when it is forgotten."""

from typing import Any, cast

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, LoginView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from builds.errors import DomainError
from builds.views.form_page import find_status
from sign_in import accounts, limits, tasks
from sign_in.forms import EmailForm, NewPasswordForm, SignInForm
from sign_in.views.addresses import find_server


class SignIn(LoginView):
    """Name and password; then, for whoever has one, the second factor. Nobody is signed in before both."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        # Who has just given it is not asked for it again before they change how they sign in.
        record_authentication(self.request, user, method="password", reauthenticated=True)
        response: HttpResponse = perform_login(self.request, Login(user=user, redirect_url=self.get_success_url()))
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sso = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        return {**super().get_context_data(**kwargs), "sso": sso}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask_for_reset(request: HttpRequest) -> HttpResponse:
    """The same answer, as quickly, whether or not somebody has the address: nobody looks before a worker does."""
    form = EmailForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_bound and form.is_valid():
        email = form.cleaned_data["email"]
        try:
            limits.take_mail(email)
            tasks.queue(tasks.send_password_reset, email, find_server(request))
        except DomainError as refusal:
            form.add_refusal(refusal)
            status = find_status(refusal)
        else:
            return render(request, "accounts/password_mailed.html", {"email": email})
    return render(request, "accounts/password_forgotten.html", {"form": form}, status=status)


@method_decorator(never_cache, name="dispatch")
class ResetPassword(PasswordResetConfirmView):
    """Where the link of the mail leads. Django keeps its token out of the address, and so of logs and referrers."""

    template_name = "accounts/password_reset.html"

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(*args, uidb64=kwargs["uidb64"], token=kwargs["reset_token"])

    def get_form(self, form_class: Any = None) -> Any:
        return NewPasswordForm(self.request.POST if self.request.method == "POST" else None)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            accounts.reset_password(cast(User, self.user).pk, **form.cleaned_data)
        except DomainError as refusal:
            form.add_refusal(refusal)
            return self.form_invalid(form)
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        messages.success(self.request, "Your password is changed. Sign in with the new one.")
        response: HttpResponseRedirect = redirect("sign_in")
        return response
