"""Versions of a kind that the embedded server serves beside those its CustomResourceDefinition names.

OCM's add-on kinds have a version that a hub can only serve with a conversion webhook. Here the conversion
is in the process (`objects.conversion`), so that version is there wherever the kind is, with the schema of
our models.
"""

from __future__ import annotations

from functools import lru_cache

from gitops_ocm.api.crd import ConversionWebhook, crd
from gitops_ocm.api.scheme import SCHEME
from gitops_ocm.objects.catalog import Served, served_by
from gitops_ocm.objects.conversion import converts
from gitops_ocm.objects.ref import Kind, Object


def served_beside(definition: Object) -> tuple[Served, ...]:
    """Further versions of the kind that a CustomResourceDefinition defines."""
    spec = definition["spec"]
    kind = Kind(spec["group"], spec["names"]["kind"])
    if not converts(kind):
        return ()
    named = {version["name"] for version in spec.get("versions") or ()}
    return tuple(served for served in _converted(kind) if served.resource.version not in named)


@lru_cache(maxsize=16)
def _converted(kind: Kind) -> tuple[Served, ...]:
    found = [d for d in SCHEME if Kind(d.group, d.kind) == kind]
    return tuple(s for d in found for s in served_by(crd(d, conversion_webhook=ConversionWebhook())))
