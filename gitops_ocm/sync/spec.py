"""`HubSync.spec` as the sync reads it: one frozen value, defaults filled in.

The schema of record is `api.fleet`; the API server has validated and defaulted what arrives here, but a
HubSync may be older than a default, so each is given again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.api.fleet import DEFAULT_BRANCH, REQUESTED_AT_ANNOTATION
from gitops_ocm.api.scalars import parse_duration
from gitops_ocm.errors import GitopsError
from gitops_ocm.git import refs
from gitops_ocm.objects.ref import Object
from gitops_ocm.plan.changes import DriftMode, Policy


class InvalidSync(GitopsError):
    """A HubSync says something that cannot be carried out."""

    code = "invalid-hubsync"


@dataclass(frozen=True)
class SyncSpec:
    """Where desired state is, and how it is put on the hub. Times are in seconds."""

    name: str
    generation: int
    url: str
    ref: str = "refs/heads/main"
    path: str = "."
    interval: float = 60
    timeout: float = 300
    suspend: bool = False
    policy: Policy = field(default_factory=Policy)
    status_branch: str = "status"
    status_enabled: bool = True
    requested_at: str = ""

    @classmethod
    def of(cls, sync: Object) -> SyncSpec:
        """What a HubSync asks for."""
        meta, spec = sync.get("metadata") or {}, sync.get("spec") or {}
        name = str(meta.get("name", ""))
        if len(name) > 63:
            raise InvalidSync(
                f"HubSync {name}: its name is longer than 63 characters",
                hint="its objects are labelled with it, and a label value cannot be longer: choose another",
            )
        repository, status = spec.get("repository") or {}, spec.get("status") or {}
        if not repository.get("url"):
            raise InvalidSync(f"HubSync {name} names no repository", hint="set spec.repository.url")
        followed = _ref(repository.get("ref") or {})
        enabled = status.get("enabled", True) is not False
        branch = str(status.get("branch") or "status")
        if enabled and (branch.startswith("agents/") or refs.branch(branch) == followed):
            raise InvalidSync(
                f"HubSync {name} cannot report to the branch {branch}: it is written by others",
                hint="set spec.status.branch to a branch of its own, or spec.status.enabled to false",
            )
        return cls(
            name=name,
            generation=int(meta.get("generation") or 0),
            url=str(repository["url"]),
            ref=followed,
            path=str(repository.get("path") or "."),
            interval=_seconds(spec.get("interval"), 60, at_least=1),
            timeout=_seconds(spec.get("timeout"), 300, at_least=1),
            suspend=bool(spec.get("suspend")),
            policy=_policy(spec),
            status_branch=branch,
            status_enabled=enabled,
            requested_at=str((meta.get("annotations") or {}).get(REQUESTED_AT_ANNOTATION, "")),
        )


def _ref(ref: Mapping[str, Any]) -> str:
    if ref.get("commit"):
        return refs.commit(str(ref["commit"]))
    if ref.get("tag"):
        return refs.tag(str(ref["tag"]))
    return refs.branch(str(ref.get("branch") or DEFAULT_BRANCH))


def _policy(spec: Mapping[str, Any]) -> Policy:
    prune, drift = spec.get("prune") or {}, spec.get("drift") or {}
    percent = prune.get("maxPercent")
    return Policy(
        prune=prune.get("mode", "Enabled") != "Disabled",
        max_prune_percent=50 if percent is None else int(percent),
        allow_commit=str(prune.get("allowCommit") or ""),
        drift=DriftMode(drift.get("mode") or DriftMode.CORRECT),
        overwrite=spec.get("conflicts") == "Overwrite",
    )


def _seconds(text: Any, default: float, *, at_least: float) -> float:
    return max(at_least, parse_duration(str(text)).total_seconds()) if text else default
