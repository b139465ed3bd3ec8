"""Add-ons at the one version they are judged at, whichever the hub shows, and back.

Judgements speak v1beta1. A hub without a conversion webhook serves v1alpha1 alone: what is read there is
converted, and what is reported is written as that version has it (`objects.conversion`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.decide.contract import MergePatch
from gitops_ocm.decide.kinds import ADDON_GROUP
from gitops_ocm.decide.writes import report, status_of
from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.ref import Object

VERSION = f"{ADDON_GROUP}/v1beta1"
_ALPHA_NAMES = {"defaultConfigReferences": "defaultconfigReferences"}


def at_beta(obj: Object) -> Object:
    """The object as v1beta1 has it."""
    return converted(obj, VERSION)


def report_at_version(obj: Object, status: Mapping[str, Any]) -> tuple[MergePatch, ...]:
    """Write the given fields of the status, said as at v1beta1; what is empty is left out, or taken away."""
    if obj["apiVersion"] != VERSION:
        beta = at_beta(obj)
        whole = converted({**beta, "status": {**status_of(beta), **status}}, obj["apiVersion"])["status"]
        names = [_ALPHA_NAMES.get(name, name) for name in status]
        status = {name: whole.get(name) for name in names}
    have = status_of(obj)
    return report(obj, {name: value or None for name, value in status.items() if value or have.get(name)})
