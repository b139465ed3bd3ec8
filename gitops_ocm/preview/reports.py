"""What a cluster that does as it is assumed reports of a work's manifests: applied, and how they fare.

Values are found by the agent's own function (`decide.agent.feedback_values`), in the status that a workload
has which is up, or which is not. Only manifests that rules ask about are looked at; a word on one of a
work's manifests says since when its generation is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops_ocm.decide.addons.deploy_works import guessed_plural
from gitops_ocm.decide.agent.feedback_values import feedback_values
from gitops_ocm.decide.agent.identity import identity_of
from gitops_ocm.decide.agent.options import options_for
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Kind, Object, kind_of, split_api_version

_AGENT = AgentSettings("")


def assumed_reports(work: Object, since: datetime, *, up: bool) -> list[Object]:
    """The entries of a work's `status.resourceStatus.manifests`."""
    applied = {
        "type": "Applied",
        "status": "True",
        "reason": "Assumed",
        "message": "as the preview assumes",
        "observedGeneration": work["metadata"].get("generation"),
        "lastTransitionTime": timestamp(since),
    }
    spec = work.get("spec") or {}
    if not any(config.get("feedbackRules") for config in spec.get("manifestConfigs") or ()):
        return [{"resourceMeta": {"ordinal": 0}, "conditions": [applied]}]
    manifests: Sequence[Object] = (spec.get("workload") or {}).get("manifests") or ()
    return [
        {"conditions": [applied], **_report(work, manifest, number, up)}
        for number, manifest in enumerate(manifests)
    ]


def _report(work: Object, manifest: Object, number: int, up: bool) -> Object:
    group, version = split_api_version(str(manifest.get("apiVersion") or ""))
    named = manifest.get("metadata") or {}
    meta = {
        "ordinal": number,
        "group": group,
        "version": version,
        "kind": manifest.get("kind") or "",
        "resource": guessed_plural(str(manifest.get("kind") or "")),
        "namespace": named.get("namespace") or "",
        "name": named.get("name") or "",
    }
    rules = options_for(work, identity_of(meta)).feedback
    live = {**manifest, "status": _status(manifest, up)}
    values = feedback_values(_AGENT, rules, live)[0] if rules else []
    return {"resourceMeta": meta, **({"statusFeedback": {"values": values}} if values else {})}


def _status(manifest: Object, up: bool) -> Mapping[str, Any]:
    """The status of a workload that is `up`, or done; of one that is not."""
    held, spec = str(up), manifest.get("spec") or {}
    match kind_of(manifest):
        case Kind("apps", "Deployment" | "StatefulSet" | "ReplicaSet"):
            count = spec.get("replicas", 1)
            ready = {"readyReplicas": count, "availableReplicas": count}
            return {"replicas": count, **(ready if up else dict.fromkeys(ready, 0))}
        case Kind("apps", "DaemonSet"):
            count = 1 if up else 0
            return {"desiredNumberScheduled": 1, "numberReady": count, "numberAvailable": count}
        case Kind("batch", "Job"):
            return {
                "conditions": [{"type": "Complete", "status": held}],
                "succeeded": spec.get("completions", 1) if up else 0,
            }
        case Kind("", "Pod"):
            return {
                "conditions": [{"type": "Ready", "status": held}],
                "phase": "Succeeded" if up else "Pending",
            }
    return manifest.get("status") or {}
