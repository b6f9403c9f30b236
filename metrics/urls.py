from django.urls import path

from metrics.views import adoption, devices, explain, failures

_BUILD = "projects/<slug:slug>/builds/<int:build_id>/"
_DEVICES = f"{_BUILD}devices"

urlpatterns = [
    path(f"{_BUILD}adoption.json", adoption.send_adoption, name="adoption_numbers"),
    path(f"{_BUILD}adoption.svg", adoption.draw_adoption, name="adoption_picture"),
    path(f"{_BUILD}adoption/", adoption.show_adoption, name="adoption"),
    path(f"{_BUILD}failures/", failures.show_failures, name="failures"),
    path(f"{_BUILD}explain/", explain.explain_answer, name="explain"),
    path(f"{_DEVICES}/", devices.list_devices, name="device_list"),
    path(f"{_DEVICES}.csv", devices.export_devices, name="device_export"),
    path(f"{_DEVICES}/<uuid:client_hash>/", devices.show_device, name="device_detail"),
]
