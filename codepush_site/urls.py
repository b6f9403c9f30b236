"""Where pages and the release API are mounted. The device API is not here: `wsgi` answers it before Django does."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from builds.forms import SignInForm
from codepush_site import api_docs, health, metrics_page
from codepush_site.api import api

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="project_list")),
    path(
        "sign-in/",
        LoginView.as_view(
            template_name="accounts/sign_in.html", authentication_form=SignInForm, redirect_authenticated_user=True
        ),
        name="sign_in",
    ),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("", include("builds.urls")),
    path("", include("deployments.urls")),
    path("", include("metrics.urls")),
    path("", include("webhooks.urls")),
    path("", include("release_api.urls")),
    path("api/v1/docs", api_docs.show_docs, name="api_docs"),
    path("api/v1/openapi.json", api_docs.send_document, name="api_document"),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("healthz", health.show_liveness, name="healthz"),
    path("readyz", health.show_readiness, name="readyz"),
    path("metrics", metrics_page.show_metrics, name="metrics"),
]
