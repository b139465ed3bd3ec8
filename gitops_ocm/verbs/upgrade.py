"""`upgrade clustermanager` and `upgrade klusterlet`: another image, and nothing else.

The operator is installed anew with that image, and the object is told it. Every other field of its spec
stays as it is, but for what a values file says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gitops_ocm.api.operator import HUB_NAMESPACE, OPERATOR_NAMESPACE
from gitops_ocm.decide.operators.agent_spec import is_hosted
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find_all
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.operator.install import OperatorOptions, hub_operator, klusterlet_operator
from gitops_ocm.verbs.applying import DRY_RUN, MANAGER, Applier
from gitops_ocm.verbs.chart_values import EMPTY, ChartValues
from gitops_ocm.verbs.hub_checks import is_embedded
from gitops_ocm.verbs.init import MANAGERS
from gitops_ocm.verbs.join import KLUSTERLETS
from gitops_ocm.verbs.targets import require_hub, require_managed
from gitops_ocm.verbs.unjoin import agent_namespace
from gitops_ocm.verbs.voice import NAME, VerbError, Voice
from gitops_ocm.verbs.waiting import Look, Patience, until

HUB_IMAGES = (
    "registrationImagePullSpec",
    "workImagePullSpec",
    "placementImagePullSpec",
    "addOnManagerImagePullSpec",
)
AGENT_IMAGES = ("registrationImagePullSpec", "workImagePullSpec", "imagePullSpec")


@dataclass(frozen=True)
class UpgradeOptions:
    """What `upgrade` was asked for."""

    image: str
    values: ChartValues = EMPTY
    wait: bool = False
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)


async def upgrade_hub(hub: Cluster, options: UpgradeOptions, voice: Voice) -> None:
    """Another image for every ClusterManager and their operator."""
    found = await _installed(hub, MANAGERS, "clustermanager is not installed", "init")
    await require_hub(hub)
    await _upgrade(hub, options, voice, MANAGERS, found, hub_operator, HUB_IMAGES, "clusterManager")
    if options.wait and not options.dry_run and not await is_embedded(hub):
        for one in found:
            await _rolled_out(hub, one, MANAGERS, HUB_NAMESPACE, voice, options.patience)
    if not options.dry_run:
        voice.say("upgraded completed successfully")


async def upgrade_klusterlet(cluster: Cluster, options: UpgradeOptions, voice: Voice) -> None:
    """Another image for every Klusterlet, whatever it is called, and their operator."""
    found = await _installed(cluster, KLUSTERLETS, "klusterlet is not installed", "join")
    if not all(is_hosted(one) for one in found):
        await require_managed(cluster)
    voice.say("Klusterlet installed. starting upgrade ")
    await _upgrade(
        cluster, options, voice, KLUSTERLETS, found, klusterlet_operator, AGENT_IMAGES, "klusterlet"
    )
    if options.wait and not options.dry_run and not await is_embedded(cluster):
        for one in found:
            await _rolled_out(cluster, one, KLUSTERLETS, agent_namespace(one), voice, options.patience)
    if not options.dry_run:
        voice.say("upgraded completed successfully")


async def _installed(cluster: Cluster, resource: Resource, told: str, verb: str) -> Sequence[Object]:
    found = await find_all(cluster, resource)
    if not found:
        raise VerbError(told, hint=f"install it: {NAME} {verb}")
    return found


async def _upgrade(
    cluster: Cluster,
    options: UpgradeOptions,
    voice: Voice,
    resource: Resource,
    found: Sequence[Object],
    operator: Callable[[OperatorOptions], list[Object]],
    images: Sequence[str],
    section: str,
) -> None:
    if options.dry_run:
        voice.note(DRY_RUN)
    for key in options.values.unused:
        voice.note(f"the values file's {key} says nothing about what is made here; left out")
    wanted = options.values.operator(OperatorOptions(image=options.image))
    objects = operator(wanted)
    if await is_embedded(cluster):
        objects = [obj for obj in objects if obj["kind"] == "CustomResourceDefinition"]
    applier = Applier(cluster, voice, dry_run=options.dry_run, patience=options.patience)
    await applier.apply(objects)
    own = {k: v for k, v in options.values.images().items() if k in images}
    spec = {**dict.fromkeys(images, wanted.image), **own, **options.values.spec(section)}
    for one in found:
        name = one["metadata"]["name"]
        await cluster.patch(
            resource, "", name, {"spec": spec}, field_manager=MANAGER, dry_run=options.dry_run
        )
        voice.note(f"{resource.kind} {name}: {wanted.image}")


async def _rolled_out(
    cluster: Cluster, one: Object, resource: Resource, namespace: str, voice: Voice, patience: Patience
) -> None:
    name = one["metadata"]["name"]

    async def look() -> Look:
        now = await cluster.get(resource, "", name)
        generation, seen = (
            now["metadata"].get("generation"),
            (now.get("status") or {}).get("observedGeneration"),
        )
        if seen != generation:
            return Look(False, f"the operator has not taken note of generation {generation} yet")
        return Look(not is_true(now, "Progressing"), "it is being rolled out")

    await until(
        f"{resource.kind} {name}",
        look,
        voice,
        patience,
        done=f"{resource.kind} {name} is up to date.",
        hint=f"kubectl -n {OPERATOR_NAMESPACE} get pods; kubectl -n {namespace} get pods; "
        f"kubectl get {resource.singular or resource.plural} {name} -o yaml",
    )
