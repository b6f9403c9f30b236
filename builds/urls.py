from django.urls import path

from builds.views import audit, project_page, projects

urlpatterns = [
    path("audit/", audit.list_entries, name="audit_list"),
    path("audit.csv", audit.export_entries, name="audit_export"),
    path("projects/", projects.list_projects, name="project_list"),
    path("projects/new/", projects.NewProject.as_view(), name="project_new"),
    path("projects/<slug:slug>/", project_page.show_project, name="project_detail"),
    path("projects/<slug:slug>/builds/new/", project_page.NewBuild.as_view(), name="build_new"),
]
