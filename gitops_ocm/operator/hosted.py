"""Objects whose other cluster is elsewhere: each has a runner of its own with both clusters.

A hosted Klusterlet's agents run here and manage the cluster that the Secret `external-managed-kubeconfig`
names; a hosted ClusterManager's controllers run here for the hub of `external-hub-kubeconfig`. The pods get
tokens of accounts over there, as kubeconfigs in Secrets, renewed when a fifth of their life is left.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from gitops_ocm.decide.contract import Controller, Side
from gitops_ocm.decide.operators.agent_spec import EXTERNAL_KUBECONFIG, AgentSpec, is_hosted
from gitops_ocm.decide.operators.farewell import KLUSTERLET
from gitops_ocm.decide.operators.hub_parts import hosted as hub_is_hosted
from gitops_ocm.decide.operators.hub_parts import parts
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.decide.writes import is_deleting, name_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.identity import Connection, KubeconfigError
from gitops_ocm.kube.kubeconfig import held_kubeconfig
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.kube.reading import find
from gitops_ocm.kube.token_request import request_token
from gitops_ocm.live.cache import Cache
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.conditions import parse_time, timestamp
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.objects.served import SECRETS
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.tasks import Tasks, first_of

_log = get_logger("operator")

EXTERNAL_HUB = "external-hub-kubeconfig"
LIFE = timedelta(hours=8640)
RENEWED = "operator.gitops-ocm.io/renew-after"
MANAGER = "gitops-ocm-operator"
AGAIN, FAILING, SOON = timedelta(seconds=30), timedelta(seconds=5), timedelta(seconds=1)


class Measure(Protocol):
    """Looks at a Klusterlet's hub and puts what it sees into a cache."""

    async def measure(self, klusterlet: Object, cache: Cache, *, unreachable: str = "") -> timedelta:
        """How long until the next look."""
        ...


@dataclass(frozen=True)
class Far:
    """The other cluster."""

    cluster: HttpCluster
    connection: Connection


class Hosted:
    """Runs one runner for each hosted object there is."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind,
        rows: Callable[[OperatorSettings], tuple[Controller, ...]],
        settings: OperatorSettings,
        measure: Measure,
        clock: Clock,
    ) -> None:
        self._cluster, self._kind, self._rows = cluster, kind, rows
        self._settings, self._measure, self._clock = settings, measure, clock
        self._objects: dict[str, Object] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks = Tasks("hosted")

    def changed(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        """A cache has seen a change: start or end the runner of whom it concerns."""
        obj = new if new is not None else old
        assert obj is not None
        if kind != self._kind or not (is_hosted(obj) if kind == KLUSTERLET else hub_is_hosted(obj)):
            return
        name = name_of(obj)
        if new is None:
            self._objects.pop(name, None)
            if ended := self._ends.pop(name, None):
                ended.set()
            return
        self._objects[name] = new
        if name not in self._ends:
            self._ends[name] = asyncio.Event()
            self._tasks.start(name, self._one(name, self._ends[name]))

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then every runner gets to finish."""
        async with self._tasks:
            await stop.wait()
            for ended in self._ends.values():
                ended.set()

    async def _one(self, name: str, ended: asyncio.Event) -> None:
        """A runner, again with another kubeconfig whenever the Secret changes."""
        while not ended.is_set():
            data, why = await self._kubeconfig(name)
            far = None
            if data:
                try:
                    far = _client(data, f"Secret {name}/{self._secret}")
                except KubeconfigError as error:
                    why = error.message
            leave = asyncio.Event()
            try:
                await self._with(name, far, data, why, ended, leave)
            except GitopsError as error:
                _log.warning("could not look after a hosted object", name=name, error=error)
                await first_of(ended.wait(), within=FAILING.total_seconds())
            finally:
                if far is not None:
                    await far.cluster.close()

    async def _with(
        self,
        name: str,
        far: Far | None,
        data: bytes,
        why: str,
        ended: asyncio.Event,
        leave: asyncio.Event,
    ) -> None:
        clusters: dict[Side, Cluster] = {Side.HUB: self._cluster}
        if far is not None:
            clusters[Side.SPOKE] = far.cluster
        settings = replace(self._settings, hosted=name)
        runner = Runner(self._rows(settings), clusters, clock=self._clock)
        async with Tasks(f"hosted {name}") as tasks:
            running = tasks.start("controllers", runner.run(leave))
            try:
                while not ended.is_set() and name in self._objects:
                    now, unreachable = await self._kubeconfig(name)
                    if now != data:
                        return
                    pause = await self._look(name, runner.caches[Side.HUB], far, why or unreachable)
                    await first_of(ended.wait(), within=pause.total_seconds())
            finally:
                leave.set()
                await asyncio.wait([running])

    async def _look(self, name: str, cache: Cache, far: Far | None, why: str) -> timedelta:
        """Is the other cluster there, are the tokens good; and for a Klusterlet, how is its hub."""
        obj, pause = self._objects[name], AGAIN
        if far is not None and not why:
            try:
                await far.cluster.version()
                if not is_deleting(obj):
                    await self._tokens(obj, far)
            except Unreachable as error:
                why = error.message
            except ApiError as error:
                pause = SOON
                if error.http_code != 404:  # the accounts are on their way
                    _log.warning("no tokens from the other cluster", name=name, error=error)
        pause = FAILING if why else pause
        if self._kind == KLUSTERLET:
            return min(await self._measure.measure(obj, cache, unreachable=why), pause)
        return pause

    @property
    def _secret(self) -> str:
        """The name of the Secret with the other cluster's kubeconfig."""
        return EXTERNAL_KUBECONFIG if self._kind == KLUSTERLET else EXTERNAL_HUB

    async def _kubeconfig(self, name: str) -> tuple[bytes, str]:
        """The other cluster's kubeconfig; or empty, and why there is none."""
        secret = self._secret
        try:
            found = await find(self._cluster, SECRETS, secret, name)
        except GitopsError as error:
            return b"", error.message
        if found is None:
            return b"", f"There is no Secret {name}/{secret}"
        data = base64.b64decode((found.get("data") or {}).get("kubeconfig") or "")
        return data, "" if data else f"Secret {name}/{secret} has no key kubeconfig"

    # Tokens

    async def _tokens(self, obj: Object, far: Far) -> None:
        """A kubeconfig with a token for each account that a pod here needs over there."""
        if self._kind == KLUSTERLET:
            spec = AgentSpec(obj)
            wanted: Mapping[str, str] = spec.external_secrets
            there = spec.namespace
        else:
            wanted = {part.account: f"{part.account}-kubeconfig" for part in parts(obj)}
            there = name_of(obj)
        for account, secret in sorted(wanted.items()):
            await self._token(name_of(obj), secret, far, there, account)

    async def _token(self, here: str, secret: str, far: Far, there: str, account: str) -> None:
        now = self._clock.now()
        held = await find(self._cluster, SECRETS, secret, here)
        if held is not None and _good(held, now):
            return
        granted = await request_token(far.cluster, there, account, int(LIFE.total_seconds()))
        renew = granted.expires - (granted.expires - now) / 5
        body: Object = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": secret,
                "namespace": here,
                "annotations": {RENEWED: timestamp(renew)},
            },
            "data": {"kubeconfig": base64.b64encode(_with_token(far.connection, granted.text)).decode()},
        }
        if held is None:
            await self._cluster.create(SECRETS, body, field_manager=MANAGER)
        else:
            meta = {**held["metadata"], "annotations": body["metadata"]["annotations"]}
            await self._cluster.update(
                SECRETS, {**held, "metadata": meta, "data": body["data"]}, field_manager=MANAGER
            )


def _good(secret: Object, now: datetime) -> bool:
    text = (secret["metadata"].get("annotations") or {}).get(RENEWED)
    try:
        return (
            bool(text) and parse_time(str(text)) > now and bool((secret.get("data") or {}).get("kubeconfig"))
        )
    except ValueError:
        return False


def _client(kubeconfig: bytes, source: str) -> Far:
    connection = held_kubeconfig({"kubeconfig": kubeconfig}, "kubeconfig", source)
    return Far(HttpCluster(connection, timeout=10.0), connection)


def _with_token(connection: Connection, token: str) -> bytes:
    """A kubeconfig for the same server, with a token."""
    return Kubeconfig(
        server=connection.server,
        ca=connection.ca.read(),
        proxy_url=connection.proxy_url,
        tls_server_name=connection.tls_server_name,
        insecure=connection.insecure,
        token=token,
    ).text()
