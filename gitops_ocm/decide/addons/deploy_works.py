"""The ManifestWorks of an add-on: names, labels, annotations and options as OCM gives them.

What goes into which work is `packing`'s; whether a manifest belongs on the managed or on the hosting cluster
it says itself, by an annotation. When works are written is `deploy`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from gitops_ocm.api.addon_words import (
    ADDON_NAME_LABEL,
    ADDON_NAMESPACE_LABEL,
    DELETION_ORPHAN_ANNOTATION,
    MANIFEST_LOCATION_ANNOTATION,
    PRE_DELETE_HOOK,
)
from gitops_ocm.api.work import CONFIG_HASH_ANNOTATION
from gitops_ocm.decide.addons.packing import Packed, Unpackable, pack
from gitops_ocm.decide.addons.versions import VERSION
from gitops_ocm.decide.kinds import MANIFEST_WORK, WORK_GROUP
from gitops_ocm.decide.writes import name_of, namespace_of, status_of, uid_of
from gitops_ocm.objects.go_encoding import go_json
from gitops_ocm.objects.ref import Object, split_api_version

WORK_VERSION = f"{WORK_GROUP}/v1"
_HOOKS: Mapping[str, str] = {"Job": "jobs", "Pod": "pods"}
_LOCATIONS = frozenset({"managed", "hosting", "none"})


@dataclass(frozen=True)
class Side:
    """Where a part of an add-on goes: onto its own cluster, or onto the one that hosts it."""

    addon: Object
    cluster: str
    hosting: bool = False
    owner_version: str = VERSION
    """At which version the hub serves the add-on: the garbage collector looks for owners at that."""

    @property
    def prefix(self) -> str:
        """What the names of the works begin with."""
        return _located(f"addon-{name_of(self.addon)}-deploy", self)

    @property
    def hook(self) -> str:
        """The name of the work with the hooks."""
        return _located(f"addon-{name_of(self.addon)}-pre-delete", self)


def _located(prefix: str, side: Side) -> str:
    return f"{prefix}-hosting-{namespace_of(side.addon)}" if side.hosting else prefix


def belonging(objects: Iterable[Object], *, hosted: bool, hosting: bool) -> list[Object]:
    """The manifests for one of the two sides; without a hosting cluster all are the managed one's."""
    found = []
    for obj in objects:
        meta = obj.get("metadata") or {}
        marks, labels = meta.get("annotations") or {}, meta.get("labels") or {}
        told = marks.get(MANIFEST_LOCATION_ANNOTATION) or labels.get(MANIFEST_LOCATION_ANNOTATION)
        if told and told not in _LOCATIONS:
            raise Unpackable(
                f"not supported manifest location: {told}", hint="it is managed, hosting or none"
            )
        here = told == "hosting" if hosting else not told or told == "managed"
        if here or (not hosted and not hosting):
            found.append(obj)
    return found


def is_hook(obj: Mapping[str, Any]) -> bool:
    """Whether a manifest is only for when the add-on is deleted."""
    meta = obj.get("metadata") or {}
    marked = PRE_DELETE_HOOK in (meta.get("annotations") or {}) or PRE_DELETE_HOOK in (
        meta.get("labels") or {}
    )
    return obj.get("kind") in _HOOKS and marked


@dataclass(frozen=True)
class Works:
    """The works to be, in the order they are reported on, and the names of those to go."""

    wanted: tuple[Object, ...]
    gone: tuple[str, ...]


def deploy_works(
    side: Side, objects: Sequence[Object], configs: Sequence[Object], existing: Sequence[Object]
) -> Works:
    """The works for the manifests of one side, hooks aside."""
    plain = [obj for obj in objects if not is_hook(obj)]
    if not plain:
        return Works((), ())
    packed: Packed = pack(plain, [(name_of(work), _manifests(work)) for work in existing])
    spec = {**_orphaning(plain), **({"manifestConfigs": list(configs)} if configs else {})}
    names = _free_names(side.prefix, [name_of(work) for work in existing])
    new = [_work(side, name, p.manifests, spec) for name, p in zip(names, packed.new, strict=False)]
    kept = [_work(side, p.name, p.manifests, spec) for p in packed.kept]
    for work in (*new, *kept):
        if marks := config_hashes(side.addon):
            work["metadata"]["annotations"] = marks
    return Works((*new, *kept), tuple(p.name for p in packed.emptied))


def _free_names(prefix: str, taken: Sequence[str]) -> Iterator[str]:
    """Names for further works: counted on as OCM does, but one in between may have gone."""
    return (name for n in count(len(taken)) if (name := f"{prefix}-{n}") not in taken)


def hook_work(side: Side, objects: Sequence[Object]) -> Object | None:
    """The work with the hooks of one side, if there are any."""
    hooks = [obj for obj in objects if is_hook(obj)]
    if not hooks:
        return None
    configs = [
        {
            "resourceIdentifier": _identifier(hook, _HOOKS[hook["kind"]]),
            "feedbackRules": [{"type": "WellKnownStatus"}],
        }
        for hook in hooks
    ]
    return _work(side, side.hook, hooks, {"manifestConfigs": configs})


def config_hashes(addon: Object) -> dict[str, str]:
    """The annotation that says with which configuration a work was made."""
    references = status_of(addon).get("configReferences") or ()
    if not references:
        return {}
    found = {}
    for each in references:
        if (told := each.get("desiredConfig")) is not None:
            kind = ".".join(filter(None, (each.get("resource"), each.get("group"))))
            key = f"{kind}/{told.get('namespace') or ''}/{told.get('name', '')}"
            found[key] = told.get("specHash") or ""
    return {CONFIG_HASH_ANNOTATION: go_json(found).decode()}


def _work(side: Side, name: str, manifests: Sequence[Object], spec: Mapping[str, Any]) -> Object:
    addon = side.addon
    labels = {ADDON_NAME_LABEL: name_of(addon)}
    meta: Object = {"name": name, "namespace": side.cluster, "labels": labels}
    if side.cluster == namespace_of(addon):
        meta["ownerReferences"] = [_owner(addon, side.owner_version)]
    else:
        labels[ADDON_NAMESPACE_LABEL] = namespace_of(addon)
    workload = {"workload": {"manifests": list(manifests)}}
    return {
        "apiVersion": WORK_VERSION,
        "kind": MANIFEST_WORK.kind,
        "metadata": meta,
        "spec": {**spec, **workload},
    }


def _owner(addon: Object, version: str) -> Object:
    return {
        "apiVersion": version,
        "kind": "ManagedClusterAddOn",
        "name": name_of(addon),
        "uid": uid_of(addon),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _orphaning(objects: Iterable[Object]) -> Object:
    """The delete option that leaves what is marked so on the cluster."""
    rules = [
        _identifier(obj, guessed_plural(str(obj["kind"])))
        for obj in objects
        if DELETION_ORPHAN_ANNOTATION in ((obj.get("metadata") or {}).get("annotations") or {})
    ]
    if not rules:
        return {}
    return {
        "deleteOption": {
            "propagationPolicy": "SelectivelyOrphan",
            "selectivelyOrphans": {"orphaningRules": rules},
        }
    }


def guessed_plural(kind: str) -> str:
    """The plural of a kind, as Go's clients guess it."""
    name = kind.lower()
    if name.endswith("endpoints"):
        return name
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def _identifier(obj: Mapping[str, Any], resource: str) -> Object:
    meta = obj.get("metadata") or {}
    group, _ = split_api_version(str(obj["apiVersion"]))
    named = {key: str(meta.get(key) or "") for key in ("namespace", "name")}
    return {"group": group, "resource": resource, **named}


def _manifests(work: Object) -> Sequence[Object]:
    found: Sequence[Object] = ((work.get("spec") or {}).get("workload") or {}).get("manifests") or ()
    return found


def merged_configs(made: Sequence[Object], told: Iterable[Object]) -> list[Object]:
    """Options for manifests: those made here, with what a person asked for of the same ones."""
    result = [dict(each) for each in made]
    for each in told:
        same = next((r for r in result if _named(r) == _named(each)), None)
        if same is None:
            result.append(dict(each))
            continue
        rules: list[Object] = list(same.get("feedbackRules") or ())
        for rule in each.get("feedbackRules") or ():
            rules = _with_rule(rules, rule)
        same["feedbackRules"] = rules
        if each.get("updateStrategy") is not None:
            same["updateStrategy"] = each["updateStrategy"]
    return result


def _named(config: Mapping[str, Any]) -> tuple[str, ...]:
    told = config.get("resourceIdentifier") or {}
    return tuple(str(told.get(key) or "") for key in ("group", "resource", "namespace", "name"))


def _with_rule(rules: list[Object], rule: Mapping[str, Any]) -> list[Object]:
    """Rules with one more; a well-known status is asked for once, a value by the first path of its name."""
    if rule.get("type") == "WellKnownStatus":
        return rules if any(r.get("type") == "WellKnownStatus" for r in rules) else [*rules, dict(rule)]
    if rule.get("type") != "JSONPaths":
        return [*rules, dict(rule)]
    known = {path["name"] for r in rules if r.get("type") == "JSONPaths" for path in r.get("jsonPaths") or ()}
    fresh = [path for path in rule.get("jsonPaths") or () if path["name"] not in known]
    return [*rules, {"type": "JSONPaths", "jsonPaths": fresh}] if fresh else rules
