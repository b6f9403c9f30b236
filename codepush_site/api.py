"""The release API as it is mounted: every app's part of it, under one token check and one error envelope."""

from ninja import NinjaAPI

from builds.api import builds, projects
from deployments import api as codepushes_api
from deployments import api_builds, api_changes
from metrics import api as metrics_api
from release_api import api as tokens_api
from release_api.errors import add_handlers
from release_api.operations import BearerToken

api = NinjaAPI(
    title="CodePush Console release API",
    version="1",
    description=(
        "Whatever a person can do in the dashboard, a pipeline can do with a token. "
        "Errors are `{error: {code, message, fields?}}`. Lists take `limit` and `offset`."
    ),
    auth=BearerToken(),
    # `api_docs` shows both.
    docs_url=None,
    openapi_url=None,
    urls_namespace="release_api",
)
add_handlers(api)
_parts = (api_builds, codepushes_api, api_changes, metrics_api, tokens_api)
for _router in (projects, builds, *(part.router for part in _parts)):
    api.add_router("", _router)
