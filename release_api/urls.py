from django.urls import path

from release_api import views

_PROJECT = "projects/<slug:slug>/tokens/"

urlpatterns = [
    path("account/tokens/", views.list_my_tokens, name="token_list"),
    path("account/tokens/new/", views.NewToken.as_view(), name="token_new"),
    path("account/tokens/<int:token_id>/revoke/", views.RevokeToken.as_view(), name="token_revoke"),
    path(_PROJECT, views.list_project_tokens, name="project_token_list"),
    path(f"{_PROJECT}new/", views.NewProjectToken.as_view(), name="project_token_new"),
    path(f"{_PROJECT}<int:token_id>/revoke/", views.RevokeProjectToken.as_view(), name="project_token_revoke"),
]
