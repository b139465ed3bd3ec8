"""Gets the cluster's add-ons their credentials for the hub, keeps them fresh, and takes them away.

What an add-on is to have is decided in `decide.agent.addon_registration`; how it goes is reported by
`decide.agent.addon_status`. The cluster's own identity asks; each Secret is named in the notes before it
is made, so that one whose add-on went while the agent was down is found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.registration import (
    CERTIFICATE_KEY,
    CLUSTER_NAME_KEY,
    KUBECONFIG_KEY,
    PRIVATE_KEY_KEY,
    TOKEN_KEY,
    TOKEN_NOT_UPDATED,
    TOKEN_UPDATED,
)
from gitops_ocm.decide.agent.addon_registration import (
    AddonCredentials,
    TokenWanted,
    credentials_of,
    refresh_at,
)
from gitops_ocm.decide.agent.bootstrap import HubAddress
from gitops_ocm.decide.agent.certificates import Certificate, Wanted
from gitops_ocm.decide.agent.facts import addon_facts
from gitops_ocm.decide.contract import Side, Want
from gitops_ocm.decide.kinds import CLUSTER_ADDON, FACTS
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import is_deleting, name_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.enrollment import Enrollment, Issued, forget_taken
from gitops_ocm.klusterlet.kept import Kept, SecretData
from gitops_ocm.klusterlet.keys import read_certificate
from gitops_ocm.klusterlet.kubeconfig import kubeconfig_text
from gitops_ocm.klusterlet.renewal import Renewal, sleep_until
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.token_request import read_token, request_token
from gitops_ocm.live.cache import Cache
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.tasks import Tasks, first_of

_log = get_logger("add-ons")
_NOTE = "addon-secrets"
_LOOK = 60.0
"""Seconds between looks whether a Secret still is as it was made."""

Place = tuple[str, str, bool]
"""Namespace and name of a Secret, and whether it is where the agent runs."""


@dataclass
class AddonRegistrations:
    """The add-ons of one cluster, with one hub. Hosted ones have their Secrets on `management`."""

    hub: Cluster
    spoke: Cluster
    management: Cluster
    address: HubAddress
    settings: AgentSettings
    notes: Kept
    clock: Clock
    beta: bool = False
    _running: dict[AddonCredentials, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self, runner: Runner, leave: asyncio.Event) -> None:
        """Until `leave`."""
        cache = runner.caches[Side.HUB]
        changed = asyncio.Event()

        def listen(kind: Kind, old: Object | None, new: Object | None) -> None:
            if kind == CLUSTER_ADDON:
                changed.set()

        cache.listen(listen)
        await first_of(cache.synced([Want(CLUSTER_ADDON, self.settings.cluster_name)]), leave.wait())
        backoff = Backoff(1.0, 60.0)
        async with Tasks("add-ons") as tasks:
            while not leave.is_set():
                changed.clear()
                try:
                    await self._settle(tasks, cache, leave)
                    backoff.reset()
                    await first_of(changed.wait(), leave.wait())
                except GitopsError as error:
                    _log.warning("add-ons not registered yet, trying again", error=error)
                    await first_of(leave.wait(), within=backoff.next())
            tasks.stop()
        self._running.clear()

    async def _settle(self, tasks: Tasks, cache: Cache, leave: asyncio.Event) -> None:
        """Have a task for each credential that is wanted, and no Secret that is not."""
        wanted = self._wanted(cache)
        for gone in self._running.keys() - wanted:
            self._running.pop(gone).cancel()
            cache.remove_local(Ref(*FACTS, "", f"{gone.addon}.{gone.secret}"))
        places = {_place(credentials) for credentials in wanted}
        known = await self._known()
        if not places <= known:
            await self._note(known | places)
        for place in sorted(known - places):
            _log.info("credentials of an add-on taken away", namespace=place[0], secret=place[1])
            await self._secret(place).remove()
        if known - places:
            await self._note(places)
        for credentials in sorted(wanted - self._running.keys(), key=lambda c: (c.addon, c.secret)):
            name = f"{credentials.addon} {credentials.secret}"
            self._running[credentials] = tasks.start(name, self._keep(credentials, cache, leave))

    def _wanted(self, cache: Cache) -> set[AddonCredentials]:
        """What the add-ons are to have; one that is being deleted keeps what it has, to clean up with."""
        found: set[AddonCredentials] = set()
        for addon in cache.list(CLUSTER_ADDON, self.settings.cluster_name):
            if is_deleting(addon):
                found |= {c for c in self._running if c.addon == name_of(addon)}
                continue
            lifetime = self.settings.certificate_lifetime
            found |= set(credentials_of(addon, self.settings.addon_driver, lifetime))
        return found

    async def _known(self) -> set[Place]:
        noted = orjson.loads((await self.notes.read()).get(_NOTE, b"[]"))
        return {(str(namespace), str(name), bool(hosted)) for namespace, name, hosted in noted}

    async def _note(self, places: set[Place]) -> None:
        await self.notes.write({_NOTE: orjson.dumps(sorted(places)) if places else None})

    def _secret(self, place: Place) -> SecretData:
        """Where a credential is kept. The namespace is the add-on's: whoever installs that makes it."""
        namespace, name, hosted = place
        return SecretData(self.management if hosted else self.spoke, namespace, name, makes_namespace=False)

    # One credential

    async def _keep(self, credentials: AddonCredentials, cache: Cache, leave: asyncio.Event) -> None:
        """Keep one Secret as it is to be; made anew where somebody else changed it."""
        secret, backoff = self._secret(_place(credentials)), Backoff(2.0, 30.0)

        def report(condition: KnownCondition) -> None:
            cache.put_local(addon_facts(credentials.addon, credentials.secret, condition))

        while not leave.is_set():
            try:
                if isinstance(credentials.how, TokenWanted):
                    await self._token(credentials.how, secret, report)
                else:
                    await self._certificate(credentials, credentials.how, secret, report, leave)
                backoff.reset()
            except GitopsError as error:
                _log.warning("credentials of an add-on not kept", addon=credentials.addon, error=error)
                if isinstance(credentials.how, TokenWanted):
                    report(TOKEN_NOT_UPDATED.saying(error=error.message))
                await first_of(leave.wait(), within=backoff.next())

    async def _certificate(
        self,
        credentials: AddonCredentials,
        wanted: Wanted,
        secret: SecretData,
        report: Callable[[KnownCondition], None],
        leave: asyncio.Event,
    ) -> None:
        """Renew a certificate in time, until its Secret is not as it was made."""
        beside = {CLUSTER_NAME_KEY: self.settings.cluster_name.encode()}
        if credentials.kubeconfig:
            beside[KUBECONFIG_KEY] = kubeconfig_text(self.address)

        async def take(issued: Issued) -> None:
            await secret.write({**beside, CERTIFICATE_KEY: issued.chain, PRIVATE_KEY_KEY: issued.key})

        enrollment = Enrollment(self.hub, self.notes, self.beta)
        data = await secret.read()
        if (held := _held(data, beside)) is not None:
            await forget_taken(self.notes, wanted, data[PRIVATE_KEY_KEY])
        renewal = Renewal(enrollment, wanted, held, take, report, self.clock, own=False)

        async def altered() -> None:
            while True:
                await self.clock.sleep(_LOOK)
                if renewal.held is not None and _held(await secret.read(), beside) != renewal.held:
                    return

        await first_of(renewal.run(leave), altered())

    async def _token(
        self, wanted: TokenWanted, secret: SecretData, report: Callable[[KnownCondition], None]
    ) -> None:
        """Get a token unless there is a good one, then wait until it has to be looked at again."""
        beside = {
            CLUSTER_NAME_KEY: self.settings.cluster_name.encode(),
            KUBECONFIG_KEY: kubeconfig_text(self.address, token=True),
        }
        data = await secret.read()
        held = read_token(data.get(TOKEN_KEY, b"").decode())
        good = held is not None and held.uid == wanted.uid and beside.items() <= data.items()
        if held is None or not good or refresh_at(held.issued, held.expires) <= self.clock.now():
            lifetime = self.settings.addon_token_lifetime
            text = (await request_token(self.hub, wanted.namespace, wanted.account, lifetime)).text
            held = read_token(text)
            if held is None:
                raise GitopsError(f"the hub gave a token of {wanted.account} that cannot be read")
            await secret.write(
                {**beside, TOKEN_KEY: text.encode(), CERTIFICATE_KEY: None, PRIVATE_KEY_KEY: None}
            )
            report(TOKEN_UPDATED.saying(end=timestamp(held.expires)))
        due = refresh_at(held.issued, held.expires)
        await first_of(sleep_until(due, self.clock), self.clock.sleep(_LOOK))


def _place(credentials: AddonCredentials) -> Place:
    return credentials.namespace, credentials.secret, credentials.hosted


def _held(data: dict[str, bytes], beside: dict[str, bytes]) -> Certificate | None:
    """The certificate in what a Secret holds, where that otherwise is as it should be."""
    if not beside.items() <= data.items():
        return None
    return read_certificate(data.get(CERTIFICATE_KEY, b""), data.get(PRIVATE_KEY_KEY, b""))
