"""The operator's process: the operators' rows of a controller table, and what needs keys or a look elsewhere.

`run_operator` is `gitops-ocm operator run`. Decisions are `decide.operators`; certificates `serving`, looks
at hubs `connection`, objects whose other cluster is elsewhere `hosted`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from gitops_ocm.decide.contract import Controller, Side, Want
from gitops_ocm.decide.operators.agent_spec import AgentSpec, is_hosted
from gitops_ocm.decide.operators.connection import CONNECTION, HUB_FUNCTIONAL, as_object
from gitops_ocm.decide.operators.farewell import KLUSTERLET
from gitops_ocm.decide.operators.hub_objects import labels_for, namespace_for
from gitops_ocm.decide.operators.hub_parts import parts
from gitops_ocm.decide.operators.plan import SECRET
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.decide.operators.table import CLUSTER_MANAGER, hub_operator_rows, klusterlet_operator_rows
from gitops_ocm.decide.writes import is_deleting, name_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.cache import Cache
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.operator.connection import look
from gitops_ocm.operator.hosted import Hosted
from gitops_ocm.operator.operator_rights import agent_rules, hub_rules
from gitops_ocm.operator.serving import hosts_of, keep_serving
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.tasks import Tasks, first_of

_log = get_logger("operator")

LOOK_AGAIN = timedelta(seconds=30)
"""Between two looks at a hub that is not functional; one that is gets four times as long."""
RETRY = timedelta(seconds=2)
LONGEST = timedelta(hours=1)


class Role(StrEnum):
    """What an operator looks after."""

    HUB = "hub"
    KLUSTERLET = "klusterlet"

    @property
    def kind(self) -> Kind:
        """The kind it reconciles."""
        return CLUSTER_MANAGER if self is Role.HUB else KLUSTERLET

    def rows(self, settings: OperatorSettings) -> tuple[Controller, ...]:
        """Its rows of the controller table."""
        return hub_operator_rows(settings) if self is Role.HUB else klusterlet_operator_rows(settings)


def with_rules(role: Role, settings: OperatorSettings) -> OperatorSettings:
    """The settings with the rights that the role's components get."""
    return replace(settings, rules=hub_rules() if role is Role.HUB else agent_rules())


async def run_operator(
    cluster: Cluster,
    role: Role,
    settings: OperatorSettings,
    stop: asyncio.Event,
    *,
    ready: Callable[[], None] = lambda: None,
    clock: Clock | None = None,
) -> None:
    """Look after every object of the role's kind until `stop`."""
    clock, settings = clock or SystemClock(), with_rules(role, settings)
    runner = Runner(role.rows(settings), {Side.HUB: cluster}, clock=clock)
    async with Tasks("operator") as tasks:
        chores = Chores(cluster, role, runner.caches[Side.HUB], clock)
        hosted = Hosted(cluster, role.kind, role.rows, settings, chores, clock)
        runner.caches[Side.HUB].listen(chores.changed)
        runner.caches[Side.HUB].listen(hosted.changed)
        tasks.start("controllers", runner.run(stop))
        tasks.start("chores", chores.run(stop))
        tasks.start("hosted", hosted.run(stop))
        await runner.synced()
        ready()
        await stop.wait()


class Chores:
    """What has to be done again and again for each object: certificates of a hub, looks at an agent's hub."""

    def __init__(self, cluster: Cluster, role: Role, cache: Cache, clock: Clock) -> None:
        self._cluster, self._role, self._cache, self._clock = cluster, role, cache, clock
        self._objects: dict[str, Object] = {}
        self._due: dict[str, datetime] = {}
        self._woken = asyncio.Event()

    def changed(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        """A cache has seen a change: do the chores of whom it concerns at once."""
        obj = new if new is not None else old
        assert obj is not None
        if kind == self._role.kind:
            self._know(obj, there=new is not None, spec_changed=_spec(old) != _spec(new))
        elif kind == SECRET:
            for name, known in self._objects.items():
                if obj["metadata"].get("namespace") == _namespace(self._role, known):
                    self._wake(name)

    def _know(self, obj: Object, *, there: bool, spec_changed: bool) -> None:
        name = name_of(obj)
        if not there:
            self._objects.pop(name, None)
            self._due.pop(name, None)
            self._cache.remove_local(Ref(*CONNECTION, "", name))
            return
        if name not in self._objects and self._role is Role.KLUSTERLET:
            where = AgentSpec(obj).agent_namespace
            for secret in ("hub-kubeconfig-secret", *AgentSpec(obj).bootstrap_secrets):
                self._cache.subscribe(Want(SECRET, where, name=secret), pinned=True)
        self._objects[name] = obj
        if spec_changed:
            self._wake(name)

    def _wake(self, name: str) -> None:
        self._due[name] = self._clock.now()
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Do what is due, and wait for what is next."""
        while not stop.is_set():
            self._woken.clear()
            for name in sorted(name for name, at in self._due.items() if at <= self._clock.now()):
                self._due[name] = self._clock.now() + await self._one(name)
            now = self._clock.now()
            wait = min([LONGEST, *(at - now for at in self._due.values())]).total_seconds()
            await first_of(stop.wait(), self._woken.wait(), within=max(0.05, wait))

    async def _one(self, name: str) -> timedelta:
        """The chores of one object; how long until they come again."""
        obj = self._objects[name]
        try:
            if self._role is Role.HUB:
                return await self._serve(obj)
            return await self.measure(obj, self._cache)
        except GitopsError as error:
            missing = isinstance(error, ApiError) and error.http_code == 404
            if not missing:
                _log.warning("could not look after an object", name=name, error=error)
            return RETRY

    async def _serve(self, cm: Object) -> timedelta:
        """The certificates of a hub's webhooks. A namespace that is not there yet is soon."""
        if is_deleting(cm):
            return LONGEST
        where, now = namespace_for(cm), self._clock.now()
        wanted = {part.secret: hosts_of(cm, part, where) for part in parts(cm) if part.webhook}
        again = await keep_serving(self._cluster, where, wanted, labels_for(cm), now)
        return min(LONGEST, max(RETRY, again - now))

    async def measure(self, klusterlet: Object, cache: Cache, *, unreachable: str = "") -> timedelta:
        """Look at a Klusterlet's hub and show the reconciler what was seen."""
        if is_hosted(klusterlet) and cache is self._cache:
            return LONGEST  # it has a runner of its own, which asks for itself
        if is_deleting(klusterlet) and not is_hosted(klusterlet):
            return LONGEST
        seen = await look(self._cluster, klusterlet, unreachable=unreachable)
        cache.put_local(as_object(name_of(klusterlet), seen))
        return LOOK_AGAIN * 4 if seen.hub == HUB_FUNCTIONAL else LOOK_AGAIN


def _spec(obj: Object | None) -> tuple[object, ...]:
    """What of an object makes chores: its spec, and whether it goes."""
    return (obj.get("spec"), is_deleting(obj)) if obj is not None else ()


def _namespace(role: Role, obj: Object) -> str:
    return namespace_for(obj) if role is Role.HUB else AgentSpec(obj).agent_namespace


def roles() -> Sequence[str]:
    """What `--role` can be."""
    return [role.value for role in Role]
