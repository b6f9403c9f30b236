from django.urls import path

from deployments.views import (
    approvals,
    build_forms,
    build_page,
    codepushes,
    comparison,
    deployments,
    production_rules,
    republishing,
    search,
    story,
    uploads,
)

_BUILD = "projects/<slug:slug>/builds/<int:build_id>/"
_CODEPUSH = f"{_BUILD}codepush/<str:deployment_id>/"
_CHANGE = f"{_BUILD}changes/<int:request_id>/"

urlpatterns = [
    path("search/", search.search, name="search"),
    path("deployments/", deployments.list_deployments, name="deployment_list"),
    path("deployments/rows/", deployments.show_rows, name="deployment_rows"),
    path(_BUILD, build_page.show_build, name="build_detail"),
    path(
        "projects/<slug:slug>/settings/second-person/",
        production_rules.SetSecondPerson.as_view(),
        name="project_second_person",
    ),
    path(
        "projects/<slug:slug>/settings/signing-key/",
        production_rules.SetSigningKey.as_view(),
        name="project_signing_key",
    ),
    path(f"{_BUILD}cards/", build_page.show_cards, name="build_cards"),
    path(f"{_BUILD}key/", build_page.show_key, name="build_key"),
    path(f"{_BUILD}status/", build_forms.UpdateBuildStatus.as_view(), name="build_status"),
    path(f"{_BUILD}store-status/", build_forms.UpdateStoreStatus.as_view(), name="build_store_status"),
    path(f"{_BUILD}force-update/", build_forms.ForceUpdate.as_view(), name="build_force_update"),
    path(f"{_BUILD}codepush/new/", codepushes.CreateCodePush.as_view(), name="codepush_new"),
    path(f"{_BUILD}codepush/upload/", uploads.upload_bundle, name="codepush_upload"),
    path(f"{_CHANGE}approve/", approvals.ApproveChange.as_view(), name="change_approve"),
    path(f"{_CHANGE}refuse/", approvals.RefuseChange.as_view(), name="change_refuse"),
    path(f"{_CHANGE}withdraw/", approvals.WithdrawChange.as_view(), name="change_withdraw"),
    path(f"{_CODEPUSH}edit/", codepushes.EditCodePush.as_view(), name="codepush_edit"),
    path(f"{_CODEPUSH}rollback/", republishing.RollBack.as_view(), name="codepush_rollback"),
    path(f"{_CODEPUSH}promote/", republishing.Promote.as_view(), name="codepush_promote"),
    path(f"{_CODEPUSH}retry/", codepushes.RetryCodePush.as_view(), name="codepush_retry"),
    path(f"{_CODEPUSH}cancel/", codepushes.CancelCodePush.as_view(), name="codepush_cancel"),
    path(f"{_CODEPUSH}log/", story.show_story, name="codepush_log"),
    path(f"{_CODEPUSH}compare/", comparison.pick_comparison, name="codepush_compare_pick"),
    path(f"{_CODEPUSH}compare/<str:other_id>/", comparison.show_comparison, name="codepush_compare"),
]
