"""Puts objects on a cluster and takes them away, or only asks the server what it would say to that.

Server-side apply, so that doing it again changes nothing and fields of others stay. CRDs first, until they
are served; then the rest in the order given.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ownership import fields_owned_by
from gitops_ocm.objects.ref import Kind, Object, Resource, kind_of
from gitops_ocm.objects.served import CRDS
from gitops_ocm.verbs.voice import VerbError, Voice
from gitops_ocm.verbs.waiting import Look, Patience, until

MANAGER = "gitops-ocm-install"
DRY_RUN = "gitops-ocm is running in dry-run mode"


class Applier:
    """Writes of one verb on one cluster; `applied` is what they were, for `--output-file`."""

    def __init__(
        self, cluster: Cluster, voice: Voice, *, dry_run: bool = False, patience: Patience | None = None
    ) -> None:
        self.cluster = cluster
        self.voice = voice
        self.dry_run = dry_run
        self.patience = patience or Patience()
        self.applied: list[Object] = []
        self._mapper = Mapper(cluster, clock=self.patience.clock)
        self._pending: set[tuple[str, str]] = set()
        self._new_kinds: set[Kind] = set()

    async def served(self, kind: Kind) -> Resource | None:
        """How the server serves a kind, None where it does not."""
        return await self._mapper.resource_of(kind)

    async def apply(self, objects: Iterable[Object]) -> None:
        """Apply CRDs, wait for them, then apply the rest."""
        wanted = list(objects)
        crds = [obj for obj in wanted if kind_of(obj) == CRDS.of]
        for crd in crds:
            await self._apply_one(CRDS, crd)
        if crds and not self.dry_run:
            for crd in crds:
                await self._established(crd["metadata"]["name"])
            await self._mapper.refresh(force=True)
        self._new_kinds |= {Kind(crd["spec"]["group"], crd["spec"]["names"]["kind"]) for crd in crds}
        for obj in wanted:
            if kind_of(obj) != CRDS.of:
                await self._apply_one(await self._resource(obj), obj)

    async def _resource(self, obj: Object) -> Resource | None:
        found = await self._mapper.resource_for(obj["apiVersion"], obj["kind"])
        if found is None and not (self.dry_run and kind_of(obj) in self._new_kinds):
            raise VerbError(
                f"{self.cluster.server} does not serve {obj['kind']} ({obj['apiVersion']})",
                hint="look at what it serves: kubectl api-resources",
            )
        return found

    async def _apply_one(self, resource: Resource | None, obj: Object) -> None:
        meta = obj["metadata"]
        self.applied.append(obj)
        name = f"{obj['kind']} {meta['name']}"
        unmade = ("Namespace", meta.get("namespace", "")) in self._pending
        if resource is None or unmade:
            self.voice.note(f"would apply {name}")
            return
        if obj["kind"] == "Deployment" and await self._foreign(resource, meta):
            self.voice.note(f"{name} was made by another program: it is made anew")
            await self.delete(resource, meta["namespace"], meta["name"])
            if self.dry_run:
                return
        await self.cluster.patch(
            resource,
            meta.get("namespace", "") if resource.namespaced else "",
            meta["name"],
            obj,
            type=PatchType.APPLY,
            field_manager=MANAGER,
            force=True,
            dry_run=self.dry_run,
        )
        if self.dry_run:
            self.voice.note(f"would apply {name}")
            if obj["kind"] == "Namespace" and await self.find(resource, "", meta["name"]) is None:
                self._pending.add(("Namespace", meta["name"]))

    async def _foreign(self, resource: Resource, meta: Object) -> bool:
        """Whether another program has made it: what that left in pods would not fit ours."""
        live = await self.find(resource, meta["namespace"], meta["name"])
        return live is not None and not fields_owned_by(live, MANAGER)

    async def _established(self, name: str) -> None:
        async def look() -> Look:
            crd = await self.cluster.get(CRDS, "", name)
            return Look(is_true(crd, "Established"), "it is not established yet")

        await until(
            f"the CustomResourceDefinition {name}",
            look,
            self.voice,
            self.patience,
            done=f"CRD {name} is registered.",
            hint=f"kubectl describe crd {name}",
        )

    async def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """One object, None where there is none (or no such kind)."""
        return await find(self.cluster, resource, name, namespace)

    async def delete(self, resource: Resource, namespace: str, name: str) -> bool:
        """Delete an object; False where there was none."""
        try:
            await self.cluster.delete(resource, namespace, name, dry_run=self.dry_run)
        except ApiError as error:
            if error.http_code == 404:
                return False
            raise
        if self.dry_run:
            self.voice.note(f"would delete {resource.kind} {name}")
        return True

    async def delete_and_wait(self, resource: Resource, namespace: str, name: str, *, hint: str = "") -> bool:
        """Delete an object and wait until it is gone; False where there was none."""
        if not await self.delete(resource, namespace, name):
            return False
        if self.dry_run:
            return True

        async def look() -> Look:
            found = await self.find(resource, namespace, name)
            if found is None:
                return Look(True)
            held = ", ".join(found["metadata"].get("finalizers") or ())
            return Look(False, f"it is held by {held}" if held else "it is still there")

        where = f"-n {namespace} " if namespace else ""
        await until(
            f"{resource.kind} {name} to be gone",
            look,
            self.voice,
            self.patience,
            done=f"{resource.kind} {name} is gone.",
            hint=hint or f"kubectl {where}get {resource.plural} {name} -o yaml",
        )
        return True
