"""To the identity provider and back. allauth speaks its protocol; what goes wrong there is told in words here."""

import logging

import requests
from allauth.socialaccount.providers.openid_connect import views as oidc
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sign_in.adapters import refuse_single_sign_on

logger = logging.getLogger(__name__)


@require_safe
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    # Nothing else: allauth would let the address choose what is asked of the provider, and for what.
    request.GET = QueryDict(urlencode({"next": request.GET.get("next", "")}))
    return _pass_on(request, oidc.login)


@require_safe
@never_cache
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _pass_on(request, oidc.callback)


def _pass_on(request: HttpRequest, view: object) -> HttpResponse:
    if not settings.OIDC_ISSUER:
        raise Http404("This server has no single sign-on.")
    try:
        response: HttpResponse = view(request, provider_id="sso")  # type: ignore[operator]
    except (requests.RequestException, KeyError, ValueError) as failure:
        # It is away, or answers something else than OpenID Connect says.
        logger.warning("identity provider: %s: %s", type(failure).__name__, failure)
        return refuse_single_sign_on(request)
    return response
