"""Simulated workloads: what a cluster without nodes says of its pods, jobs and deployments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_ocm.apiserver.workloads import SIMULATED, workload_controllers
from gitops_ocm.apiserver.workloads_pods import NODE, SIMULATE, Pace, pod_status
from gitops_ocm.apiserver.workloads_rollout import REVISION, Sizes, sizes
from gitops_ocm.decide.contract import DONE, Apply, Delete, Emit, MergePatch, Outcome, Side, Want, Write
from gitops_ocm.decide.projection import P, Projection
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource, ref_of

_List = list
"""`Small` has a method of that name, as every view."""

NOW = datetime(2026, 1, 10, 12, 0, 0, tzinfo=UTC)
TEMPLATE: Object = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "busybox"}]},
}


class Small:
    """A view over a handful of objects, which takes the writes of the controllers under test."""

    def __init__(self, *objects: Object) -> None:
        self.objects: dict[Ref, Object] = {}
        self.now = NOW
        self.events: _List[Emit] = []
        self._count = 0
        for obj in objects:
            self.put(obj)

    def put(self, obj: Object) -> None:
        """Store an object as a server would."""
        self._count += 1
        meta = {"uid": f"uid-{self._count}", "creationTimestamp": self.now.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.objects[ref_of(obj)] = {**obj, "metadata": {**meta, **obj["metadata"]}}

    def get(self, ref: Ref, side: Side = Side.HUB) -> Object | None:
        """One object."""
        return self.objects.get(ref)

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        side: Side = Side.HUB,
    ) -> Sequence[Object]:
        """All of a kind."""
        return [o for r, o in sorted(self.objects.items()) if r.of == kind]

    def indexed(self, index: str, value: str, side: Side = Side.HUB) -> Sequence[Object]:
        """By the indexes that the controllers declare."""
        for controller in workload_controllers():
            for declared in controller.indexes:
                if declared.name == index:
                    return [o for o in self.list(declared.kind) if value in declared.values(o)]
        raise KeyError(index)

    def projected(self, projection: Projection[P]) -> P:
        """Nobody asks."""
        raise NotImplementedError

    def resource(self, api_version: str, kind: str, side: Side = Side.HUB) -> Resource | None:
        """Nobody asks."""
        raise NotImplementedError

    def resource_named(self, api_version: str, plural: str, side: Side = Side.HUB) -> Resource | None:
        """Nobody asks."""
        raise NotImplementedError

    def require(self, wants: Iterable[Want], side: Side = Side.HUB) -> None:
        """Everything is there."""

    def carry_out(self, write: Write) -> None:
        """What the live shell would do."""
        if isinstance(write, Emit):
            self.events.append(write)
        elif isinstance(write, Apply):
            ref = ref_of(write.obj)
            if ref in self.objects:
                self.objects[ref] = merge_patch(self.objects[ref], write.obj)
            else:
                self.put(write.obj)
        elif isinstance(write, MergePatch):
            body = {**write.body, "metadata": {**write.body.get("metadata", {})}}
            body["metadata"].pop("resourceVersion", None)
            self.objects[write.ref] = merge_patch(self.objects[write.ref], body)
        else:
            assert isinstance(write, Delete)
            self.objects.pop(write.ref, None)

    def settle(self, seconds: int = 0) -> None:
        """Run every controller on every object until nothing more is to be done."""
        self.now += timedelta(seconds=seconds)
        for _ in range(50):
            writes = [w for outcome in self.round() for w in outcome.actions]
            for write in writes:
                self.carry_out(write)
            if not [w for w in writes if not isinstance(w, Emit)]:
                return
        raise AssertionError("the controllers never come to rest")

    def round(self) -> _List[Outcome]:
        """What each controller says of each of its objects."""
        return [
            controller.reconcile(self, ref, self.now)
            for controller in workload_controllers()
            for ref in sorted(self.objects)
            if ref.of == controller.wakes[0].kind
        ]

    def of(self, kind: str) -> _List[Object]:
        """All objects of a kind."""
        return [o for r, o in sorted(self.objects.items()) if r.kind == kind]


def obj(api_version: str, kind: str, spec: dict[str, Any], **meta: Any) -> Object:
    metadata = {"name": "it", "namespace": "ns", "generation": 1, **meta}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


POD = obj("v1", "Pod", TEMPLATE["spec"], creationTimestamp="2026-01-10T12:00:00Z", uid="u")


@pytest.mark.parametrize(
    ("seconds", "finishes", "phase", "ready"),
    [
        (0, False, "Pending", False),
        (1, False, "Running", True),
        (3600, False, "Running", True),
        (1, True, "Running", True),
        (3, True, "Succeeded", False),
    ],
)
def test_a_pod_comes_to_run(seconds: int, finishes: bool, phase: str, ready: bool) -> None:
    """Its status follows from its age alone."""
    status = pod_status(POD, NOW + timedelta(seconds=seconds), finishes=finishes).status
    assert status["phase"] == phase
    assert is_true(status["conditions"], "Ready") is ready
    assert [c["ready"] for c in status["containerStatuses"]] == [ready]


def test_a_deployment_becomes_ready() -> None:
    """Deployment, ReplicaSet and pods, each marked as simulated."""
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
    small = Small(obj("apps/v1", "Deployment", spec))
    small.settle()
    small.settle(2)
    (deployment,) = small.of("Deployment")
    assert deployment["status"]["readyReplicas"] == 2
    assert is_true(deployment, "Available")
    pods = small.of("Pod")
    assert len(pods) == 2
    assert all(p["metadata"]["labels"]["a"] == "b" for p in pods)
    assert all(o["metadata"]["annotations"][SIMULATED] == "true" for o in small.objects.values())


def test_a_deployment_follows_its_template_and_scale() -> None:
    """A new template has new pods; the old set is scaled to nothing."""
    spec = {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
    small = Small(obj("apps/v1", "Deployment", spec))
    small.settle()
    small.settle(2)
    before = {p["metadata"]["name"] for p in small.of("Pod")}
    (deployment,) = small.of("Deployment")
    template = {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    changed = {"spec": {"replicas": 1, "template": template}}
    small.objects[ref_of(deployment)] = merge_patch(deployment, changed)
    small.settle()
    small.settle(2)
    assert len(small.of("ReplicaSet")) == 2
    (pod,) = small.of("Pod")
    assert pod["metadata"]["name"] not in before
    assert pod["spec"]["containers"][0]["image"] == "nginx"
    assert small.of("Deployment")[0]["status"]["updatedReplicas"] == 1


def test_templates_are_numbered() -> None:
    """`rollout history` and `undo` go by these numbers; one that is taken up again is the newest again."""
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
    small = Small(obj("apps/v1", "Deployment", spec))
    other = {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    numbers = []
    for template in (TEMPLATE, other, TEMPLATE):
        (deployment,) = small.of("Deployment")
        small.objects[ref_of(deployment)] = merge_patch(deployment, {"spec": {"template": template}})
        small.settle()
        small.settle(2)
        (told,) = small.of("Deployment")
        sets = sorted(s["metadata"]["annotations"][REVISION] for s in small.of("ReplicaSet"))
        numbers.append((told["metadata"]["annotations"][REVISION], sets))
    assert numbers == [("1", ["1"]), ("2", ["1", "2"]), ("3", ["2", "3"])]


def test_a_stateful_set_starts_in_order() -> None:
    """The next pod is made when the one before it is ready."""
    small = Small(obj("apps/v1", "StatefulSet", {"replicas": 2, "template": TEMPLATE}))
    small.settle()
    assert [p["metadata"]["name"] for p in small.of("Pod")] == ["it-0"]
    small.settle(2)
    small.settle(2)
    assert [p["metadata"]["name"] for p in small.of("Pod")] == ["it-0", "it-1"]
    assert small.of("StatefulSet")[0]["status"]["readyReplicas"] == 2


def test_a_daemon_set_has_one_pod() -> None:
    """There is one node, so to speak."""
    small = Small(obj("apps/v1", "DaemonSet", {"template": TEMPLATE}))
    small.settle()
    small.settle(2)
    assert len(small.of("Pod")) == 1
    assert small.of("DaemonSet")[0]["status"]["numberReady"] == 1


@pytest.mark.parametrize("marks", [{"annotations": {SIMULATED: "disabled"}}, {"deletionTimestamp": "x"}])
def test_what_is_not_to_be_simulated_is_left_alone(marks: dict[str, Any]) -> None:
    """Opted out, or on its way out: nothing is written."""
    spec = {"replicas": 2, "template": TEMPLATE, "containers": []}
    kinds = (("v1", "Pod"), ("apps/v1", "Deployment"), ("batch/v1", "Job"))
    small = Small(*(obj(api, kind, spec, **marks) for api, kind in kinds))
    assert all(outcome == DONE for outcome in small.round())


def test_a_pending_pod_asks_to_be_looked_at_again() -> None:
    """No clock runs in here: the time of the next look is part of the answer."""
    small = Small(obj("v1", "Pod", TEMPLATE["spec"], annotations={SIMULATED: "true"}))
    (outcome,) = small.round()
    assert outcome.requeue_after == 1.0


def _told(mode: str) -> Object:
    return obj(
        "v1",
        "Pod",
        TEMPLATE["spec"],
        creationTimestamp="2026-01-10T12:00:00Z",
        uid="u",
        annotations={SIMULATE: mode},
    )


@pytest.mark.parametrize(
    ("mode", "seconds", "phase", "reason", "restarts"),
    [
        ("pending", 3600, "Pending", "", 0),
        ("image-pull", 0, "Pending", "ContainerCreating", 0),
        ("image-pull", 2, "Pending", "ErrImagePull", 0),
        ("image-pull", 60, "Pending", "ImagePullBackOff", 0),
        ("crash-loop", 2, "Running", "CrashLoopBackOff", 0),
        ("crash-loop", 12, "Running", "CrashLoopBackOff", 1),
        ("crash-loop", 32, "Running", "CrashLoopBackOff", 2),
        ("slow", 9, "Pending", "ContainerCreating", 0),
        ("slow", 10, "Running", "", 0),
    ],
)
def test_a_pod_goes_wrong_as_it_is_told(
    mode: str, seconds: int, phase: str, reason: str, restarts: int
) -> None:
    """An annotation says how; what the pod shows is what a real one would."""
    status = pod_status(_told(mode), NOW + timedelta(seconds=seconds), finishes=False).status
    assert status["phase"] == phase
    for container in status.get("containerStatuses", ()):
        assert container["state"].get("waiting", {}).get("reason", "") == reason
        assert container["restartCount"] == restarts
    assert is_true(status["conditions"], "PodScheduled") is (mode != "pending")


@pytest.mark.parametrize("mode", ["", "image-pull", "crash-loop", "slow", "pending"])
def test_a_status_lasts_until_it_is_said_to_change(mode: str) -> None:
    """Whoever looks again when a status says it changes misses nothing: it is another only then."""
    pod, now = _told(mode), NOW
    for _ in range(4):
        told = pod_status(pod, now, finishes=False)
        if told.changes is None:
            break
        just_before = told.changes - timedelta(milliseconds=1)
        assert pod_status(pod, just_before, finishes=False).status == told.status
        assert pod_status(pod, told.changes, finishes=False).status != told.status
        now = told.changes
    assert pod_status(pod, now, finishes=False).status is not None


def test_the_pace_can_be_set() -> None:
    """How long a pod takes to run is for whoever assembles the cluster to say."""
    pace = Pace(running=timedelta(seconds=30))
    assert (
        pod_status(POD, NOW + timedelta(seconds=29), finishes=False, pace=pace).status["phase"] == "Pending"
    )
    assert (
        pod_status(POD, NOW + timedelta(seconds=30), finishes=False, pace=pace).status["phase"] == "Running"
    )


def test_it_says_that_nothing_is_real() -> None:
    """An Event on what people made, and the name of the node on every pod."""
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
    small = Small(obj("apps/v1", "Deployment", spec))
    small.settle()
    assert [(e.about["kind"], e.reason) for e in small.events] == [("Deployment", "Simulated")]
    assert [p["spec"]["nodeName"] for p in small.of("Pod")] == [NODE]


def test_a_rollout_to_a_crashing_template_keeps_the_old_pods() -> None:
    """The old pods stay as far as the strategy says, and in time the rollout is called stuck."""
    spec = {
        "replicas": 4,
        "progressDeadlineSeconds": 60,
        "selector": {"matchLabels": {"a": "b"}},
        "template": TEMPLATE,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
    }
    small = Small(obj("apps/v1", "Deployment", spec))
    small.settle()
    small.settle(2)
    (deployment,) = small.of("Deployment")
    bad = {**TEMPLATE, "metadata": {**TEMPLATE["metadata"], "annotations": {SIMULATE: "crash-loop"}}}
    small.objects[ref_of(deployment)] = merge_patch(deployment, {"spec": {"template": bad}})
    small.settle()
    small.settle(5)
    (deployment,) = small.of("Deployment")
    assert deployment["status"]["readyReplicas"] == 3
    assert sorted(s["spec"]["replicas"] for s in small.of("ReplicaSet")) == [2, 3]
    small.settle(60)
    progressing = next(
        c for c in small.of("Deployment")[0]["status"]["conditions"] if c["type"] == "Progressing"
    )
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")


def test_a_recreation_waits_for_the_old_pods_to_be_gone() -> None:
    """The strategy Recreate leaves a gap."""
    spec = {"replicas": 2, "strategy": {"type": "Recreate"}}
    old = obj("apps/v1", "ReplicaSet", {"replicas": 2}, name="old") | {"status": {"replicas": 2}}
    deployment = obj("apps/v1", "Deployment", spec)
    assert sizes(deployment, None, [old]) == Sizes(0, {"old": 0})
    assert sizes(deployment, None, [{**old, "status": {"replicas": 0}}]) == Sizes(2, {"old": 0})


def test_pods_can_be_told_later() -> None:
    """Annotating what owns them makes pods that run already go wrong, and taking it away heals them."""
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
    small = Small(obj("apps/v1", "Deployment", spec))
    small.settle()
    small.settle(2)
    for mode, ready in (("crash-loop", 0), (None, 2)):
        (deployment,) = small.of("Deployment")
        told = {"metadata": {"annotations": {SIMULATE: mode}}}
        small.objects[ref_of(deployment)] = merge_patch(deployment, told)
        small.settle()
        small.settle(2)
        assert small.of("Deployment")[0]["status"]["readyReplicas"] == ready
