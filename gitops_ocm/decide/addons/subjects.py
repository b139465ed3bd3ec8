"""Who an add-on's agent is on the hub, and how bindings name it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_ocm.api.cluster import GROUP_PREFIX
from gitops_ocm.decide.kinds import RBAC_GROUP
from gitops_ocm.objects.ref import Object

AUTHENTICATED = "system:authenticated"


def client_user(cluster: str, addon: str, agent: str) -> str:
    """The user an agent is unless it registers for another."""
    return f"{GROUP_PREFIX}cluster:{cluster}:addon:{addon}:agent:{agent}"


def client_groups(cluster: str, addon: str) -> list[str]:
    """The groups of such a user."""
    return [f"{GROUP_PREFIX}cluster:{cluster}:addon:{addon}", f"{GROUP_PREFIX}addon:{addon}"]


def bound(registrations: Iterable[Mapping[str, Any]]) -> list[Object]:
    """The subjects of bindings for whoever registers for the hub's API; none as long as nobody is named."""
    for registration in registrations:
        if registration.get("type") == "kubeClient":
            subject = (registration.get("kubeClient") or {}).get("subject") or {}
            users = [subject["user"]] if subject.get("user") else []
            groups = [group for group in subject.get("groups") or () if group != AUTHENTICATED]
            return [
                *({"apiGroup": RBAC_GROUP, "kind": "User", "name": user} for user in users),
                *({"apiGroup": RBAC_GROUP, "kind": "Group", "name": group} for group in groups),
            ]
    return []
