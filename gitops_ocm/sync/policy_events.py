"""A Kubernetes Event about a HubSync: the policy refuses a commit, or one was let through on request.

Pure. It is told once, as the ruling is recorded (`pull`); what came of it is in the status.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from gitops_ocm.api.scalars import format_micro_time
from gitops_ocm.objects.ref import Object

_NOTE = 1024
_REPORTER = "gitops-ocm-sync"


def policy_event(sync: Mapping[str, Any], record: Mapping[str, Any], now: datetime) -> Object | None:
    """The event for a `status.policy`; None where no rule has anything against the commit."""
    rulings = record.get("rulings") or ()
    if not rulings:
        return None
    meta, commit, allowed = sync["metadata"], str(record["commit"]), bool(record["allowed"])
    rules = "; ".join(_said(ruling) for ruling in rulings)
    verb = "let through although the policy refuses it" if allowed else "refused by the policy"
    name = sha256(f"{commit} {allowed} {now.isoformat()}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.{name}", "namespace": "default"},
        "eventTime": format_micro_time(now),
        "reportingController": _REPORTER,
        "reportingInstance": str(meta["name"])[:128],
        "action": "Judge",
        "reason": "PolicyOverridden" if allowed else "RefusedByPolicy",
        "regarding": {
            "apiVersion": sync["apiVersion"],
            "kind": sync["kind"],
            "name": meta["name"],
            "uid": meta.get("uid", ""),
        },
        "type": "Warning",
        "note": f"commit {commit[:12]} is {verb}: {rules}"[:_NOTE],
    }


def _said(ruling: Mapping[str, Any]) -> str:
    said = f" (meant: {ruling['override']})" if ruling.get("override") else ""
    return f"{ruling['rule']}: {ruling['message']}{said}"
