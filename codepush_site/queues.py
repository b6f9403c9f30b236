"""Which work waits behind which. Each kind has a queue and a process (Procfile): none holds up another.

The worker of bundles helps with what is quick: it alone, with `web` and `beat`, is a product that works.
"""

# Minutes each: bundles. Beside it, in the default queue "celery", what houses are kept with, at night mostly.
PROCESSING = "processing"
HOUSEKEEPING = "celery"
# A moment each, every few seconds: numbers, and the sweeps that find lost work.
AGGREGATION = "aggregation"
# As long as a receiver takes.
WEBHOOKS = "webhooks"

QUEUES = {name: {"exchange": name, "routing_key": name} for name in (PROCESSING, HOUSEKEEPING, AGGREGATION, WEBHOOKS)}
ROUTES = {
    "deployments.process_codepush": {"queue": PROCESSING},
    "metrics.apply_reports": {"queue": AGGREGATION},
    "deployments.requeue_unfinished": {"queue": AGGREGATION},
    "deployments.expire_change_requests": {"queue": AGGREGATION},
    "webhooks.queue_due": {"queue": AGGREGATION},
    "webhooks.raise_alerts": {"queue": AGGREGATION},
    "webhooks.deliver": {"queue": WEBHOOKS},
}

# A task that takes longer is stopped, and killed if that does not help; the sweeps give its work to another. Embedded
# workers are threads, which cannot be killed.
TASK_SECONDS, TASK_KILLED_SECONDS = 2700, 3000
# Redis gives a message that nobody has acknowledged to another worker after so long. Acknowledged late, it must not be
# one that is still at work.
VISIBILITY_SECONDS = 3600
