from django.urls import path

from metrics import views

_BUILD = "projects/<slug:slug>/builds/<int:build_id>"
_DEVICES = f"{_BUILD}/devices"

urlpatterns = [
    path(f"{_BUILD}/explain/", views.explain_answer, name="explain"),
    path(f"{_DEVICES}/", views.list_devices, name="device_list"),
    path(f"{_DEVICES}.csv", views.export_devices, name="device_export"),
    path(f"{_DEVICES}/<uuid:client_hash>/", views.show_device, name="device_detail"),
]
