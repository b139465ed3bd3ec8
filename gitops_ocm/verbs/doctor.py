"""`doctor`: looks at a hub, and at a managed cluster, and says what is wrong and how it is mended.

Gathers evidence, and has `decide.diagnosis` judge it. Never writes: what a server would refuse is found by
writes that it only rehearses. What may not be looked at is told, for its absence is no health.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from gitops_ocm.decide.diagnosis.diagnose import Diagnosis, diagnose
from gitops_ocm.decide.diagnosis.events import EVENT, is_warning, places
from gitops_ocm.decide.diagnosis.evidence import Evidence, Hub, Spoke
from gitops_ocm.decide.kinds import MANAGED_CLUSTER
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.verbs.doctor_hub import look_at_hub
from gitops_ocm.verbs.doctor_reading import Ask, Reader
from gitops_ocm.verbs.doctor_spoke import SpokeOptions, look_at_spoke
from gitops_ocm.verbs.voice import VerbError

PLACES = 10
"""In so many namespaces at most events are read."""


class CannotLook(VerbError):
    """There is nothing that could be looked at."""

    code = "cannot-look"


@dataclass(frozen=True)
class DoctorOptions:
    """What `doctor` was asked: which clusters (none: all), and where their agents keep what they have.

    What is younger than `settle` seconds is left time to come about.
    """

    clusters: tuple[str, ...] = ()
    sync: str = ""
    settle: float = 60.0
    spoke: SpokeOptions = field(default_factory=SpokeOptions)
    clock: Clock = SystemClock()  # noqa: RUF009 -- it has no state


@dataclass(frozen=True)
class Examination:
    """What was looked at, when, and what came of it."""

    diagnosis: Diagnosis
    hub: str
    spoke: str
    clusters: int
    at: datetime


async def examine(hub: Cluster | None, spoke: Cluster | None, options: DoctorOptions) -> Examination:
    """Look at whatever is given, and judge it."""
    readers = [Reader(each, side) for each, side in ((hub, "hub"), (spoke, "managed cluster")) if each]
    unseen: dict[str, str] = {}
    begun = options.clock.now()
    seen_hub = await _hub(hub, readers, options, unseen)
    seen_spoke = await _spoke(spoke, readers, options, unseen, begun)
    if seen_hub is None and seen_spoke is None:
        raise CannotLook("; ".join(unseen.values()), hint="check --kubeconfig and --spoke-kubeconfig")
    for reader in readers:
        unseen |= reader.unseen
    now = (seen_hub.now if seen_hub else None) or begun
    evidence = Evidence(now, seen_hub, seen_spoke, options.clusters, options.settle, options.sync)
    count = len(options.clusters) or (len(seen_hub.objects.list(MANAGED_CLUSTER)) if seen_hub else 1)
    diagnosis = diagnose(evidence, dict(sorted(unseen.items())))
    return Examination(
        diagnosis.with_events(await _events(readers, diagnosis)),
        hub.server if hub is not None else "",
        spoke.server if spoke is not None else "",
        count,
        now,
    )


async def _events(readers: list[Reader], diagnosis: Diagnosis) -> list[Object]:
    """The warnings of wherever something was found, as far as they may be read; of a whole fleet a part."""
    asks = [Ask(EVENT, place, keep=is_warning) for place in places(diagnosis.findings)[:PLACES]]
    read = await asyncio.gather(*(reader.objects(asks) for reader in readers)) if asks else []
    return [event for objects in read for event in objects.list(EVENT)]


async def _hub(
    hub: Cluster | None, readers: list[Reader], options: DoctorOptions, unseen: dict[str, str]
) -> Hub | None:
    if hub is None:
        return None
    try:
        await hub.version()
        return await look_at_hub(hub, readers[0], options.clusters, options.clock)
    except Unreachable as error:
        unseen["the hub"] = error.message
        return None


async def _spoke(
    spoke: Cluster | None,
    readers: list[Reader],
    options: DoctorOptions,
    unseen: dict[str, str],
    begun: datetime,
) -> Spoke | None:
    files = options.spoke.bootstrap or options.spoke.hub_folder
    if spoke is None and not files:
        return None
    try:
        if spoke is not None:
            await spoke.version()
        reader = readers[-1] if spoke is not None else None
        return await look_at_spoke(spoke, reader, options.spoke, at=begun, clock=options.clock)
    except Unreachable as error:
        unseen["the managed cluster"] = error.message
        return None
