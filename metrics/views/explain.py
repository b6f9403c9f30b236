"""Why a device is offered what it is offered, rule by rule."""

import json

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from builds.access import get_build
from deployments.device_api import describe_answer, find_base_url
from deployments.policy.types import Decision
from metrics import devices
from metrics.forms import ExplainForm
from metrics.offers import explain_device


@require_safe
@login_required
def explain_answer(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """Why a device gets what it gets, as an update check would be answered now. A fixed number of queries."""
    access, build = get_build(request.user, slug, build_id)
    form = ExplainForm(request.GET)
    explanation = explain_device(build, **form.cleaned_data) if form.is_asked and form.is_valid() else None
    context = {
        "access": access,
        "build": build,
        "form": form,
        "explanation": explanation,
        "filled": {one.field: one for one in explanation.filled} if explanation else {},
        "client": (client := form.cleaned_data["client_unique_id"] if explanation else ""),
        "masked": devices.mask_client(client),
        "row": explanation.row if explanation else None,
        "answers": _write_answers(explanation.trace.decision, find_base_url(request.META)) if explanation else (),
    }
    return render(request, "metrics/explain.html", context)


def _write_answers(decision: Decision, base_url: str) -> list[tuple[str, str]]:
    """(address, JSON) in both spellings; with line breaks, for people."""
    return [
        (address, json.dumps(describe_answer(decision, base_url, is_legacy=is_legacy), ensure_ascii=False, indent=2))
        for address, is_legacy in (("/api/v0.1/public/codepush/update_check", False), ("/api/updateCheck", True))
    ]
