from django.urls import path

from builds.views import audit, project_deletion, project_page, project_settings, projects

urlpatterns = [
    path("audit/", audit.list_entries, name="audit_list"),
    path("audit.csv", audit.export_entries, name="audit_export"),
    path("projects/", projects.list_projects, name="project_list"),
    path("projects/new/", projects.NewProject.as_view(), name="project_new"),
    path("projects/<slug:slug>/", project_page.show_project, name="project_detail"),
    path("projects/<slug:slug>/rows/", project_page.show_rows, name="project_rows"),
    path("projects/<slug:slug>/builds/new/", project_page.NewBuild.as_view(), name="build_new"),
    path("projects/<slug:slug>/settings/", project_settings.show_settings, name="project_settings"),
    path("projects/<slug:slug>/settings/edit/", project_settings.EditProject.as_view(), name="project_edit"),
    path(
        "projects/<slug:slug>/settings/second-factor/",
        project_settings.ChangeSecondFactor.as_view(),
        name="project_second_factor",
    ),
    path("projects/<slug:slug>/settings/leave/", project_settings.LeaveProject.as_view(), name="project_leave"),
    path("projects/<slug:slug>/settings/delete/", project_deletion.DeleteProject.as_view(), name="project_delete"),
    path("projects/<slug:slug>/restore/", project_deletion.RestoreProject.as_view(), name="project_restore"),
    path("projects/<slug:slug>/settings/members/new/", project_settings.AddMember.as_view(), name="member_new"),
    path(
        "projects/<slug:slug>/settings/members/<int:membership_id>/role/",
        project_settings.ChangeRole.as_view(),
        name="member_role",
    ),
    path(
        "projects/<slug:slug>/settings/members/<int:membership_id>/remove/",
        project_settings.RemoveMember.as_view(),
        name="member_remove",
    ),
]
