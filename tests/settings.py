"""The product's settings, with what tests must not share with a running product."""

import os
import tempfile

from tests.sharing import own_folder, own_redis

# Tests that set neither DATABASE_URL nor REDIS_URL run on the embedded defaults, in a folder of their own.
os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="codepush-tests-"))
os.environ.setdefault("SECRET_KEY", "for-tests-only")
os.environ["VAR_DIR"] = own_folder(os.environ["VAR_DIR"])

from codepush_site.settings import *  # noqa: F403
from codepush_site.settings import STORAGES as _STORAGES

if not DATABASE_URL:  # noqa: F405
    # A file, not memory: threads and processes of tests wait for each other's locks as those of the product do.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "tests.sqlite3")}  # noqa: F405
# Known passwords, hashed by the hundred.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**_STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# Empty: WhiteNoise warns of a folder that is not there.
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# Nothing listens: services must work all the same. Tests that need a worker start a real one.
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT = ""
CELERY_BROKER_TRANSPORT_OPTIONS = {}
# In-process tests refresh snapshots themselves; those that start real servers get the real thread.
SNAPSHOT_POLL_SECONDS = 0.0
REDIS_URL = own_redis(REDIS_URL)  # noqa: F405
