"""Where pages and the release API are mounted. The device API is not here: `wsgi` answers it before Django does."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from codepush_site import api_docs, health, metrics_page
from codepush_site.api import api
from sign_in.views.refusals import show_forbidden

handler403 = show_forbidden

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="project_list")),
    path("", include("sign_in.urls")),
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
