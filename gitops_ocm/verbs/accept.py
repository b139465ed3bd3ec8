"""`accept`: lets a cluster in. Its first certificate requests are approved, and `hubAcceptsClient` is set.

Only what is due is approved: a request by a bootstrap identity for the name of an agent of this cluster.
Where several agents ask as one cluster, a person says which is meant. With `--commit` the acceptance goes to
the repository; approval is an act on the hub, and waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL
from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.csr_approval import cluster_subject
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CSRS
from gitops_ocm.verbs.targets import HubTarget, Target, ocm
from gitops_ocm.verbs.voice import NAME, VerbError, Voice
from gitops_ocm.verbs.waiting import Look, Patience, until

CLUSTERS = ocm("cluster.open-cluster-management.io/v1", "ManagedCluster")
ARN_ANNOTATION = "agent.open-cluster-management.io/managed-cluster-arn"
_USERS = (
    "system:bootstrap:",
    "system:serviceaccount:open-cluster-management:agent-registration-bootstrap",
    "system:serviceaccount:open-cluster-management-hub:grpc-server-sa",
)
_GROUPS = frozenset(
    {
        "system:bootstrappers:managedcluster",
        "system:serviceaccounts:open-cluster-management",
        "system:serviceaccounts:open-cluster-management-hub",
    }
)


@dataclass(frozen=True)
class AcceptOptions:
    """What `accept` was asked for."""

    skip_check: bool = False
    requesters: tuple[str, ...] = ()
    wait: bool = False
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Judged:
    """Which requests are to be approved, whether one was before, and what is to be said of the others."""

    due: Sequence[Object] = ()
    approved: bool = False
    told: Sequence[str] = ()


def judge(requests: Iterable[Object], options: AcceptOptions) -> Judged:
    """Who asks, and for what."""
    told: list[str] = []
    candidates: list[tuple[str, Object]] = []
    for request in sorted(requests, key=lambda r: str(r["metadata"]["name"])):
        name, subject = request["metadata"]["name"], cluster_subject(request)
        if options.skip_check:
            candidates.append((subject, request))
        elif _by_bootstrap(request):
            if subject:
                candidates.append((subject, request))
            else:
                told.append(f"CSR {name} is not valid: it asks for another identity than the cluster's agent")
    # A request that was decided is no choice any more: a cluster that joins again has its old ones.
    names = sorted({subject for subject, request in candidates if subject and not _verdict(request)})
    if len(names) > 1 and not options.skip_check and not options.requesters:
        told.append(
            f"There are CSRs of different requesters: {','.join(names)}, approve is skipped please specify "
            "the certain requesters with --requesters or set --skip-approve-check if all CSRs need to be "
            "approved"
        )
        return Judged(told=told)
    # Only one asks: that it is the one meant goes without saying.
    wanted = set(options.requesters) | (set(names) if len(names) == 1 else set())
    due, approved = [], False
    for subject, request in candidates:
        name, verdict = request["metadata"]["name"], _verdict(request)
        if verdict == "Denied":
            told.append(f"CSR {name} already denied")
        elif verdict == "Approved":
            told.append(f"CSR {name} already approved")
            approved = approved or not options.requesters or subject in wanted
        elif not options.skip_check and subject not in wanted:
            told.append(f"CSR {name} with requester {subject} is not in the approve list")
        else:
            due.append(request)
    return Judged(due, approved, told)


def _by_bootstrap(request: Object) -> bool:
    spec = request.get("spec") or {}
    return str(spec.get("username", "")).startswith(_USERS) and not _GROUPS.isdisjoint(
        spec.get("groups") or ()
    )


def _verdict(request: Object) -> str:
    conditions = (request.get("status") or {}).get("conditions") or ()
    found = {str(c.get("type")) for c in conditions}
    return next((verdict for verdict in ("Denied", "Approved") if verdict in found), "")


async def accept(
    target: Target, hub: Cluster | None, name: str, options: AcceptOptions, voice: Voice
) -> None:
    """Let one cluster in; fails unless a certificate request of its was approved, now or before."""
    if options.wait and isinstance(target, HubTarget):
        await _accept_in_time(target, name, options, voice)
        return
    if not await _attempt(target, hub, name, options, voice):
        raise VerbError(
            f"no csr is approved yet for cluster {name}",
            hint=f"see what it asked for: kubectl get csr -l {CLUSTER_NAME_LABEL}={name}; "
            "--wait waits for the agent, --skip-approve-check approves whoever asks",
        )


async def _accept_in_time(target: HubTarget, name: str, options: AcceptOptions, voice: Voice) -> None:
    said: set[str] = set()

    def once(text: str) -> None:
        if text not in said:
            said.add(text)
            voice.say(text)

    async def look() -> Look:
        try:
            if await _attempt(target, target.cluster, name, options, Voice(once, voice.note)):
                return Look(True)
        except VerbError as error:
            return Look(False, error.message)
        return Look(False, f"no CSR to approve for cluster {name}")

    await until(
        f"the managed cluster {name} and its certificate request",
        look,
        voice,
        options.patience,
        done=f"The managed cluster {name} is accepted.",
        hint=f"kubectl get managedcluster {name}; kubectl get csr -l {CLUSTER_NAME_LABEL}={name}; "
        "and look at the agent's log",
    )


async def _attempt(
    target: Target, hub: Cluster | None, name: str, options: AcceptOptions, voice: Voice
) -> bool:
    cluster = await target.known(CLUSTERS, name)
    if cluster is None:
        raise VerbError(
            f'fail to get managedcluster {name}: {CLUSTERS.plural}.{CLUSTERS.group} "{name}" not found',
            hint="it has not asked to join yet; --wait waits for it",
        )
    by_arn = ARN_ANNOTATION in (cluster["metadata"].get("annotations") or {})
    if not isinstance(target, HubTarget):
        await _let_in(target, cluster, voice)
        voice.note(
            "its certificate requests are for the hub to approve, once that is merged: "
            f"{NAME} accept --clusters {name}"
        )
        return True
    assert hub is not None
    approved = by_arn or await _approve(hub, name, options, voice)
    await _let_in(target, cluster, voice)
    if approved:
        voice.say(
            f"\n Your managed cluster {name} has joined the Hub successfully. Visit "
            "https://open-cluster-management.io/scenarios or "
            "https://github.com/open-cluster-management-io/OCM/tree/main/solutions for next steps."
        )
    return approved


async def _approve(hub: Cluster, name: str, options: AcceptOptions, voice: Voice) -> bool:
    requests = (await hub.list(CSRS, label_selector=f"{CLUSTER_NAME_LABEL}={name}")).items
    judged = judge(requests, options)
    for text in judged.told:
        voice.say(text)
    if judged.due:
        voice.say(f"Starting approve csrs for the cluster {name}")
    for request in judged.due:
        await _answer(hub, request, options)
        voice.say(f"CSR {request['metadata']['name']} approved")
    return judged.approved or bool(judged.due)


async def _answer(hub: Cluster, request: Object, options: AcceptOptions) -> None:
    status = request.get("status") or {}
    condition = {
        "type": "Approved",
        "status": "True",
        "reason": f"{NAME} Approve",
        "message": f"This CSR was approved by {NAME} certificate approve.",
        "lastUpdateTime": format_time(options.patience.clock.now()),
    }
    answered = {
        "apiVersion": CSRS.api_version,
        "kind": CSRS.kind,
        **request,
        "status": {**status, "conditions": [*(status.get("conditions") or ()), condition]},
    }
    await hub.update(CSRS, answered, subresource="approval", dry_run=options.dry_run)


async def _let_in(target: Target, cluster: Object, voice: Voice) -> None:
    name = str(cluster["metadata"]["name"])
    declared = await target.find(CLUSTERS, name)
    if declared is not None and (declared.get("spec") or {}).get("hubAcceptsClient"):
        voice.say(f"hubAcceptsClient already set for managed cluster {name}")
        return

    def change(obj: Object) -> None:
        obj.setdefault("spec", {})["hubAcceptsClient"] = True

    await target.edit(CLUSTERS, name, "", change)
    voice.say(f"set hubAcceptsClient to true for managed cluster {name}")


async def accept_all(
    target: Target, hub: Cluster | None, names: Sequence[str], options: AcceptOptions, voice: Voice
) -> list[GitopsError]:
    """Each cluster by itself: what keeps one out does not keep out the next."""
    failed: list[GitopsError] = []
    for name in names:
        try:
            await accept(target, hub, name, options, voice)
        except GitopsError as error:
            failed.append(error)
    return failed
