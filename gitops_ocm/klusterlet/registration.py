"""The course of a registration: from a bootstrap kubeconfig to an agent with an identity of its own.

    names ─▶ a hub is chosen ─▶ does what is kept still count? ──yes──▶ the agent runs as who it is
                    ▲                  │ no                                   │
                    │                  ▼                                      │ certificate over, hub changed,
                    │    ManagedCluster, CSR, certificate ─▶ kept             │ hub left for another one
                    └─────────────────────────────────────────────────────────┘

What counts, what to ask for and when to leave is decided in `decide.agent`; here are files, time and
tasks. Whatever is killed, what is kept says how far it came.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.registration import (
    AGENT_NAME_KEY,
    CERTIFICATE_KEY,
    CLUSTER_NAME_KEY,
    KUBECONFIG_KEY,
    PRIVATE_KEY_KEY,
)
from gitops_ocm.decide.agent.bootstrap import (
    AGENT_NAME_LENGTH,
    ALPHABET,
    Held,
    HubAddress,
    cluster_problem,
    why_bootstrap,
    why_leave,
)
from gitops_ocm.decide.agent.certificates import Wanted, for_cluster
from gitops_ocm.decide.agent.facts import certificate_facts
from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.health import lease_ref
from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.bootstrap import Bootstrap, Introduction, accepted, readable, stamps
from gitops_ocm.klusterlet.enrollment import Enrollment, Issued, forget_taken
from gitops_ocm.klusterlet.hub_choice import choose
from gitops_ocm.klusterlet.kept import Kept
from gitops_ocm.klusterlet.keys import read_certificate
from gitops_ocm.klusterlet.kubeconfig import HeldIdentity, hub_connection, kubeconfig_text, read_address
from gitops_ocm.klusterlet.renewal import Renewal, before
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.rate import RateLimit
from gitops_ocm.live.runner import Runner
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.tasks import Tasks, first_of

_log = get_logger("registration")

Beside = Callable[[Runner], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class RegistrationOptions:
    """How to register. Without names they are made up, and kept.

    `several` lets the agent turn from one hub to another (the gate MultipleHubs); `lifetime` is asked
    for each certificate, in seconds; `look` is how often the bootstrap kubeconfigs are looked at.
    """

    bootstraps: tuple[Path, ...]
    cluster_name: str = ""
    agent_name: str = ""
    introduction: Introduction = field(default_factory=Introduction)
    lifetime: int = 0
    beta: bool = False
    several: bool = False
    rate: RateLimit | None = None
    connection_timeout: float = 600.0
    look: float = 5.0

    def trusting(self, ca: bytes) -> RegistrationOptions:
        """The same, telling the hub of the managed cluster's own CA where no other one was given."""
        return replace(self, introduction=self.introduction.trusting(ca))


@dataclass(frozen=True)
class Registered:
    """Who the agent is, to which hub."""

    cluster_name: str
    agent_name: str
    address: HubAddress
    identity: Issued


class Agent(Protocol):
    """Runs as who is registered, until `leave`; `beside` are tasks that belong to the registration."""

    async def __call__(
        self, hub: Cluster, who: Registered, leave: asyncio.Event, beside: Sequence[Beside]
    ) -> None:
        """Run."""
        ...


class Registration:
    """One cluster's registration. `kept` is the hub kubeconfig's place, `notes` the agent's own."""

    def __init__(
        self, options: RegistrationOptions, kept: Kept, notes: Kept, *, clock: Clock | None = None
    ) -> None:
        if options.cluster_name and (problem := cluster_problem(options.cluster_name)):
            raise GitopsError(
                f"{options.cluster_name!r} cannot be the name of a cluster: {problem}",
                hint="it becomes the name of a namespace on the hub",
            )
        self._options = options
        self._kept = kept
        self._notes = notes
        self._clock = clock or SystemClock()
        self._left: set[str] = set()
        self._names = ("", "")

    async def run(self, agent: Agent, stop: asyncio.Event) -> None:
        """Register, run `agent` as who that makes us, and begin anew when it no longer counts."""
        self._names = await self._settled_names()
        backoff = Backoff(1.0, 60.0)
        while not stop.is_set():
            files = stamps(self._options.bootstraps)
            try:
                found = await before(self._registered(), stop.wait(), self._changed(files))
            except GitopsError as error:
                _log.warning("not registered yet, trying again", error=error)
                await first_of(stop.wait(), self._changed(files), within=backoff.next())
                continue
            if found is not None:
                backoff.reset()
                who, bootstrap = found
                await self._serve(agent, who, bootstrap, files, stop)

    # Who we are

    @property
    def _wanted(self) -> Wanted:
        return for_cluster(*self._names, self._options.lifetime)

    async def _settled_names(self) -> tuple[str, str]:
        """Cluster and agent name: as told, else as kept, else made up; kept before a hub hears of them."""
        held = {**await self._notes.read(), **await self._kept.read()}
        made = {
            CLUSTER_NAME_KEY: self._options.cluster_name,
            AGENT_NAME_KEY: self._options.agent_name,
        }
        cluster = made[CLUSTER_NAME_KEY] or held.get(CLUSTER_NAME_KEY, b"").decode() or str(uuid.uuid4())
        letters = "".join(secrets.choice(ALPHABET) for _ in range(AGENT_NAME_LENGTH))
        agent = made[AGENT_NAME_KEY] or held.get(AGENT_NAME_KEY, b"").decode() or letters
        names = {CLUSTER_NAME_KEY: cluster.encode(), AGENT_NAME_KEY: agent.encode()}
        if any(held.get(key) != name for key, name in names.items()):
            await self._notes.write({**names})
        return cluster, agent

    async def _held(self) -> tuple[Held, Issued | None]:
        """What is kept of an earlier registration."""
        data = await self._kept.read()
        chain, key = data.get(CERTIFICATE_KEY, b""), data.get(PRIVATE_KEY_KEY, b"")
        certificate = read_certificate(chain, key)
        held = Held(
            read_address(data.get(KUBECONFIG_KEY, b"")),
            certificate,
            data.get(CLUSTER_NAME_KEY, b"").decode(),
            data.get(AGENT_NAME_KEY, b"").decode(),
        )
        return held, Issued(chain, key, certificate) if certificate is not None else None

    async def _registered(self) -> tuple[Registered, Bootstrap | None]:
        """Our identity with a hub: what is kept, if that counts, or else a new one."""
        held, identity = await self._held()
        bootstraps = readable(self._options.bootstraps)
        bootstrap = await self._chosen(bootstraps, held.address)
        address = bootstrap.address if bootstrap else None
        why = why_bootstrap(held, self._wanted, self._names[0], address, self._clock.now())
        if not why and identity is not None and held.address is not None:
            await forget_taken(self._notes, self._wanted, identity.key)
            return Registered(*self._names, held.address, identity), bootstrap
        if bootstrap is None:
            raise GitopsError(f"{why}, and no bootstrap kubeconfig can be used to get one")
        _log.info("registering", cluster=self._names[0], server=bootstrap.address.server, because=why)
        issued = await self._enrolled(bootstrap)
        return Registered(*self._names, bootstrap.address, issued), bootstrap

    async def _chosen(self, found: Sequence[Bootstrap], held: HubAddress | None) -> Bootstrap | None:
        if not self._options.several or len(found) < 2:
            return found[0] if found else None
        chosen = await choose(found, held.server if held else "", self._names[0], self._left)
        self._left.clear()
        return chosen

    async def _enrolled(self, bootstrap: Bootstrap) -> Issued:
        async with bootstrap.client() as hub:
            await self._options.introduction.make(hub, self._names[0])
            enrollment = Enrollment(hub, self._notes, self._options.beta)
            issued = await enrollment.obtain(self._wanted)
            await self._keep(bootstrap.address, issued)
            await enrollment.settle(self._wanted)
        return issued

    async def _keep(self, address: HubAddress, issued: Issued) -> None:
        cluster, agent = self._names
        await self._kept.write(
            {
                KUBECONFIG_KEY: kubeconfig_text(address),
                CERTIFICATE_KEY: issued.chain,
                PRIVATE_KEY_KEY: issued.key,
                CLUSTER_NAME_KEY: cluster.encode(),
                AGENT_NAME_KEY: agent.encode(),
            }
        )

    # While the agent runs

    async def _serve(
        self,
        agent: Agent,
        who: Registered,
        bootstrap: Bootstrap | None,
        files: tuple[object, ...],
        stop: asyncio.Event,
    ) -> None:
        """Run the agent until `stop`, or until it has to begin anew."""
        _log.info("registered", cluster=who.cluster_name, agent=who.agent_name, server=who.address.server)
        leave, identity = asyncio.Event(), HeldIdentity(who.identity.chain, who.identity.key)
        connection = hub_connection(who.address, identity)
        hub = HttpCluster(connection, clock=self._clock, rate=self._options.rate)

        async def renewed(runner: Runner) -> None:
            await self._renewed(hub, who, identity, runner, leave)

        beside: list[Beside] = [renewed]
        if bootstrap is not None:
            beside.append(lambda runner: self._hasten(bootstrap, runner, leave))
        if self._options.several and len(self._options.bootstraps) > 1:
            beside.append(lambda runner: self._stay(who, runner, leave))
        try:
            async with Tasks("registration") as tasks:
                tasks.start("end", self._ended(stop, leave))
                tasks.start("bootstrap", self._outdated(files, leave))
                await agent(hub, who, leave, beside)
                tasks.stop()
        finally:
            await hub.close()

    async def _ended(self, stop: asyncio.Event, leave: asyncio.Event) -> None:
        await stop.wait()
        leave.set()

    async def _renewed(
        self, hub: Cluster, who: Registered, identity: HeldIdentity, runner: Runner, leave: asyncio.Event
    ) -> None:
        """Keep our certificate fresh; where it could not be, begin anew."""

        async def take(issued: Issued) -> None:
            await self._keep(who.address, issued)
            identity.take(issued.chain, issued.key)

        def report(condition: KnownCondition) -> None:
            runner.caches[Side.HUB].put_local(certificate_facts(condition))

        enrollment = Enrollment(hub, self._notes, self._options.beta)
        await Renewal(enrollment, self._wanted, who.identity.certificate, take, report, self._clock).run(
            leave
        )
        if not leave.is_set():
            _log.warning("the certificate is over before another one came", cluster=who.cluster_name)
            leave.set()

    async def _hasten(self, bootstrap: Bootstrap, runner: Runner, leave: asyncio.Event) -> None:
        """The bootstrap identity sees at once when the hub lets us in: then our rights are there."""
        async with bootstrap.client() as hub:
            if await before(accepted(hub, self._names[0]), leave.wait()):
                runner.caches[Side.HUB].look_again()

    async def _stay(self, who: Registered, runner: Runner, leave: asyncio.Event) -> None:
        """Leave a hub that does not want us, or that we cannot reach, for another one."""
        since, cache = self._clock.now(), runner.caches[Side.HUB]
        pause = min(60.0, self._options.connection_timeout / 10)
        while not leave.is_set():
            await first_of(leave.wait(), within=pause)
            why = why_leave(
                _seen(cache.get, cluster_ref(who.cluster_name)),
                _seen(cache.get, lease_ref(who.cluster_name)),
                since=since,
                timeout=self._options.connection_timeout,
                now=self._clock.now(),
            )
            if why and not leave.is_set():
                _log.warning("turning to another hub", server=who.address.server, because=why)
                self._left.add(who.address.server)
                leave.set()

    # The bootstrap kubeconfigs

    async def _changed(self, files: tuple[object, ...]) -> None:
        """Wait until the bootstrap kubeconfigs are other ones than `files`."""
        while stamps(self._options.bootstraps) == files:
            await self._clock.sleep(self._options.look)

    async def _outdated(self, files: tuple[object, ...], leave: asyncio.Event) -> None:
        """Begin anew when what is kept is gone, or not for the hub that the bootstrap kubeconfig names."""
        known: object = None
        while not leave.is_set():
            await first_of(self._changed(files), leave.wait(), within=self._options.look * 12)
            files = stamps(self._options.bootstraps)
            try:
                state = files, await self._kept.read()
                if state == known:
                    continue
                known, anew = state, await self._why_anew(self._clock.now())
            except GitopsError as error:
                _log.debug("what is kept cannot be looked at", error=error)
                continue
            if anew and not leave.is_set():
                _log.warning("registering anew", because=anew)
                leave.set()

    async def _why_anew(self, now: datetime) -> str:
        held, _ = await self._held()
        found = readable(self._options.bootstraps)
        same = [b.address for b in found if held.address and b.address.server == held.address.server]
        address = next(iter(same), found[0].address if found else None)
        return why_bootstrap(held, self._wanted, self._names[0], address, now)


def _seen(get: Callable[[Any], Any], ref: Any) -> Any:
    """What the cache has, or None where nothing was read yet."""
    try:
        return get(ref)
    except GitopsError:
        return None
