import os

from celery import Celery
from celery.signals import worker_process_init
from django.conf import settings

from codepush_site import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codepush_site.settings")

app = Celery("codepush")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# In each process that runs tasks, after the fork: threads that send traces do not survive one.
@worker_process_init.connect
def _trace(**_: object) -> None:
    tracing.start(sentry_dsn=settings.SENTRY_DSN, otlp_endpoint=settings.OTEL_EXPORTER_OTLP_ENDPOINT)
