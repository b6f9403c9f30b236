from django.urls import path

from webhooks.views import deliveries, webhooks

_LIST = "projects/<slug:slug>/settings/webhooks/"
_ONE = f"{_LIST}<int:webhook_id>/"
_DELIVERY = f"{_ONE}deliveries/<int:delivery_id>/"

urlpatterns = [
    path(_LIST, webhooks.list_webhooks, name="webhook_list"),
    path(f"{_LIST}new/", webhooks.NewWebhook.as_view(), name="webhook_new"),
    path(_ONE, webhooks.show_webhook, name="webhook_detail"),
    path(f"{_ONE}edit/", webhooks.EditWebhook.as_view(), name="webhook_edit"),
    path(f"{_ONE}pause/", webhooks.PauseWebhook.as_view(), name="webhook_pause"),
    path(f"{_ONE}resume/", webhooks.ResumeWebhook.as_view(), name="webhook_resume"),
    path(f"{_ONE}secret/", webhooks.ReplaceSecret.as_view(), name="webhook_secret"),
    path(f"{_ONE}test/", webhooks.TestWebhook.as_view(), name="webhook_test"),
    path(f"{_ONE}delete/", webhooks.DeleteWebhook.as_view(), name="webhook_delete"),
    path(_DELIVERY, deliveries.show_delivery, name="webhook_delivery"),
    path(f"{_DELIVERY}replay/", deliveries.ReplayDelivery.as_view(), name="delivery_replay"),
]
