"""What the process measures of its cluster and no API object says: the version, whether it is healthy.

The shell puts one object of kind `Facts` into the cache of the SPOKE side (`Cache.put_local(facts(...))`)
and renews it when something changes; it wakes the status row like any other object. Nothing is written
to an API.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.decide.contract import LOCAL_GROUP, Side, View
from gitops_ocm.decide.kinds import FACTS
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object, Ref

SPOKE_FACTS = Ref(*FACTS, "", "spoke")
CERTIFICATE = Ref(*FACTS, "", "certificate")
"""How the agent's own certificate fares, in the cache of the HUB side."""


def facts(*, version: str, failing_since: datetime | None = None, failure: str = "") -> Object:
    """The object to put: the API server's gitVersion, and since when and how its `/livez` fails."""
    health: Object = {"healthy": failing_since is None}
    if failing_since is not None:
        health |= {"since": timestamp(failing_since), "message": failure}
    return {
        "apiVersion": f"{LOCAL_GROUP}/v1",
        "kind": FACTS.kind,
        "metadata": {"name": SPOKE_FACTS.name},
        "version": version,
        "health": health,
    }


def certificate_facts(condition: KnownCondition) -> Object:
    """The object to put: the condition that is to be reported of the agent's certificate."""
    return {
        "apiVersion": f"{LOCAL_GROUP}/v1",
        "kind": FACTS.kind,
        "metadata": {"name": CERTIFICATE.name},
        "condition": condition._asdict(),
    }


def certificate_condition(view: View) -> Object | None:
    """The condition to report, once there is one."""
    found = view.get(CERTIFICATE, Side.HUB)
    return found["condition"] if found is not None else None


def addon_facts(addon: str, which: str, condition: KnownCondition) -> Object:
    """The object to put: the condition to report of one of an add-on's credentials."""
    made = certificate_facts(condition)
    return {**made, "metadata": {"name": f"{addon}.{which}", "labels": {ADDON_NAME_LABEL: addon}}}


def addon_conditions(view: View, addon: str) -> Sequence[Object]:
    """The conditions to report of an add-on's credentials: of several of a type, what failed counts."""
    told = [f["condition"] for f in view.list(FACTS, labels={ADDON_NAME_LABEL: addon}, side=Side.HUB)]
    return sorted(told, key=lambda c: (c["type"], c["status"] == "False"))


def known(view: View) -> Object | None:
    """The facts, once they have been measured."""
    return view.get(SPOKE_FACTS, Side.SPOKE)
