"""Roles that gather the rules of others (`aggregationRule`), so that what they come to can be read. Pure.

What they allow follows from the labels at once (`rbac`); this writes it down, as on any Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitops_ocm.apiserver.rbac import GROUP
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.selectors import matches

ROLES = (GROUP, "clusterroles")


def gathered(role: Object, roles: Iterable[Object]) -> list[Any] | None:
    """The rules the role should show, from `roles` in order of their names; None where it shows them."""
    selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors")
    if not selectors:
        return None
    found: list[Any] = []
    for selector in selectors:
        for other in roles:
            if other["metadata"]["name"] == role["metadata"]["name"]:
                continue
            if matches(selector, other["metadata"].get("labels") or {}):
                found += [rule for rule in other.get("rules") or () if rule not in found]
    return found if found != list(role.get("rules") or ()) else None
