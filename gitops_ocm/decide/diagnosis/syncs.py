"""Why a HubSync is not in step with its repository."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.api.fleet import DRIFT_DETECTED, READY
from gitops_ocm.decide.diagnosis.evidence import Evidence
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut, named
from gitops_ocm.decide.diagnosis.standing import changed_at, since
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Kind, Object

HUB_SYNC = Kind("sync.gitops-ocm.io", "HubSync")
_CAUSES = {
    "RefNotFound": "sync-git",
    "RepositoryUnreachable": "sync-git",
    "AuthenticationFailed": "sync-git",
    "RepositoryNotFound": "sync-git",
    "FetchFailed": "sync-git",
    "InvalidCommit": "sync-invalid",
    "PruneGuarded": "sync-guarded",
}


def findings(evidence: Evidence) -> Iterator[Finding]:
    """HubSyncs that are not as they should be."""
    hub = evidence.hub
    if hub is None or (evidence.clusters and not evidence.sync):
        return
    for sync in hub.objects.list(HUB_SYNC):
        if not is_deleting(sync) and evidence.sync in ("", name_of(sync)):
            yield from _sync(sync, evidence)


def _sync(sync: Object, evidence: Evidence) -> Iterator[Finding]:
    name, status, mend = named(sync), status_of(sync), f"kubectl get hubsync {name_of(sync)} -o yaml"
    ready = conditions.find(conditions_of(sync), READY)
    if (sync.get("spec") or {}).get("suspend"):
        sentence = f"{name} is suspended: nothing is synced."
        resume = f'kubectl patch hubsync {name_of(sync)} --type=merge -p \'{{"spec":{{"suspend":false}}}}\''
        yield Finding("sync-suspended", name, sentence, (Fact(name, "spec.suspend", "true"),), resume)
    elif ready is None or status.get("observedGeneration") != sync["metadata"].get("generation"):
        if evidence.settled(changed_at(sync)):
            sentence = f"Nobody acts on {name} as it is now: no sync is running."
            facts: tuple[Fact, ...] = (
                Fact(name, "metadata.generation", str(sync["metadata"].get("generation", ""))),
                Fact(name, "status.observedGeneration", str(status.get("observedGeneration", "absent"))),
            )
            yield Finding(
                "sync-not-handled", name, sentence, facts, f"gitops-ocm sync --name {name_of(sync)} --once"
            )
    elif ready.get("status") != "True" and (ready.get("status") == "False" or evidence.settled(since(ready))):
        cause = _CAUSES.get(str(ready.get("reason")), "sync-failing")
        sentence = f"{name} is not in force: {cut(str(ready.get('message') or ready.get('reason')))}"
        facts = (condition_fact(sync, ready), *_problems(sync))
        yield Finding(cause, name, sentence, facts, _mend(cause, sync, mend))
    drift = conditions.find(conditions_of(sync), DRIFT_DETECTED)
    if drift is not None and drift.get("status") == "True":
        sentence = f"The hub is not as Git has it: {cut(str(drift.get('message') or ''))}"
        yield Finding(
            "sync-drift",
            name,
            sentence,
            (condition_fact(sync, drift),),
            f"gitops-ocm diff --name {name_of(sync)}",
        )


def _problems(sync: Object) -> tuple[Fact, ...]:
    found = (status_of(sync).get("problems") or [])[:5]
    return tuple(
        Fact(
            f"{p.get('path', '')}:{p.get('line', '')}".strip(":") or named(sync),
            str(p.get("code")),
            cut(str(p.get("message"))),
        )
        for p in found
    )


def _mend(cause: str, sync: Object, mend: str) -> str:
    """A prune is allowed by naming its commit, a commit that is refused is taken back (or put right)."""
    status = status_of(sync)
    commit = (status.get("pruneGuard") or {}).get("commit")
    if cause == "sync-guarded" and commit:
        patch = f'{{"spec":{{"prune":{{"allowCommit":"{commit}"}}}}}}'
        return f"kubectl patch hubsync {name_of(sync)} --type=merge -p '{patch}'"
    if cause == "sync-invalid" and status.get("lastAttemptedCommit"):
        return f"git revert {status['lastAttemptedCommit']}"
    return mend
