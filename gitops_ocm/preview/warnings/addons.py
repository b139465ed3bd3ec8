"""Add-ons whose configuration cannot be what is meant: objects that are not there, two of a kind, no values.

Told of what this change writes: an add-on, its configuration, its template, or the object that one of them
names. Variables are told of where a cluster's template would be filled in with nothing, and was not before.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from gitops_ocm.decide.addons.config_objects import KINDS
from gitops_ocm.decide.addons.management import placement_entries
from gitops_ocm.decide.addons.references import Config, configs_in, defaults_of, desired_in
from gitops_ocm.decide.addons.template import manifests_of
from gitops_ocm.decide.addons.template_values import BadValues, values_for
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.kinds import ADDON_TEMPLATE, CLUSTER_ADDON, DEPLOYMENT_CONFIG, MANAGEMENT_ADDON
from gitops_ocm.decide.writes import is_deleting, name_of, namespace_of, status_of
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.objects.template_text import variables_in
from gitops_ocm.preview.hub import Moment
from gitops_ocm.preview.warnings.case import Case, called, few, there, warning

_NAMES = re.compile(r"\{\{(\w+)\}\}")
References = Iterator[tuple[str, Sequence[Config]]]


def addons(case: Case) -> Iterator[Diagnostic]:
    """All of them."""
    for kind in (MANAGEMENT_ADDON, CLUSTER_ADDON):
        for obj in case.hub.after.by_kind.get(kind, ()):
            ref = ref_of(obj)
            if ref in case.origins and not is_deleting(obj):
                yield from _missing(case, ref, at_beta(obj))
                yield from _of_one_kind(case, ref, at_beta(obj))
    yield from _unplaced(case)
    yield from _variables(case)


def _unplaced(case: Case) -> Iterator[Diagnostic]:
    """Those in Git that the hub deletes, for no placement of the add-on selects their cluster."""
    for ref, item in case.origins.head.objects.items():
        if ref.of != CLUSTER_ADDON or there(case.hub.after, ref) is not None:
            continue
        manager = there(case.hub.after, Ref(*MANAGEMENT_ADDON, "", ref.name))
        if manager is None or not placement_entries(at_beta(manager)):
            continue
        if ref in case.changed or there(case.hub.before, ref) is not None:
            yield warning(
                "addon-unplaced",
                f"no placement of ClusterManagementAddOn {ref.name} selects {ref.namespace}: the hub deletes "
                "what is in Git, and the sync makes it again",
                item.origin,
                ref,
                hint=f"have a placement select {ref.namespace}, or take this out of Git",
            )


def is_rewritten(case: Case, addon: Ref) -> bool:
    """Whether this change writes to an add-on, or to a configuration that it names."""
    obj = case.hub.after.objects.get(addon)
    named = [c for _, configs in _lists(at_beta(obj)) for c in configs] if obj is not None else []
    return addon in case.changed or any(_object_of(config) in case.changed for config in named)


def _lists(owner: Object) -> References:
    """The lists of configurations that an add-on has, each with whom it is for."""
    if owner["kind"] == MANAGEMENT_ADDON.kind:
        yield "by default", defaults_of(owner)
        for entry in placement_entries(owner):
            yield f"for placement {entry.get('namespace')}/{entry.get('name')}", configs_in(entry)
    else:
        yield "here", configs_in(owner.get("spec") or {})


def _missing(case: Case, owner: Ref, obj: Object) -> Iterator[Diagnostic]:
    for whom, configs in _lists(obj):
        for config in configs:
            ref = _object_of(config)
            if ref is None or there(case.hub.after, ref) is not None:
                continue
            if ref not in case.changed and owner not in case.changed:
                continue
            goes = ref in case.changed
            yield warning(
                "config-missing",
                f"{called(ref)} {'is deleted, and it' if goes else 'is not there, and it'} is the add-on's "
                f"configuration {whom}",
                case.origins.of(ref if goes else owner),
                owner,
                note="where it counts nothing of the add-on can be deployed or changed",
                hint=f"keep {called(ref)}, or name another one" if goes else f"add {called(ref)} to Git",
            )


def _of_one_kind(case: Case, owner: Ref, obj: Object) -> Iterator[Diagnostic]:
    """Two of a kind, of which the first alone counts."""
    if owner not in case.changed:
        return
    before = case.hub.before.objects.get(owner)
    known = dict(_lists(at_beta(before))) if before is not None else {}
    for whom, configs in _lists(obj):
        if configs == known.get(whom):
            continue
        counted = Counter(config.kind for config in configs if config.kind in KINDS)
        for kind, number in counted.items():
            if number > 1:
                first, *others = (config for config in configs if config.kind == kind)
                yield warning(
                    "config-conflict",
                    f"{number} {kind[1]} {whom}: {first.name} counts, not {few({c.name for c in others})}",
                    case.origins.of(owner),
                    owner,
                    hint="name one of each resource",
                )


def _object_of(config: Config) -> Ref | None:
    kind = KINDS.get(config.kind)
    return Ref(*kind, config.namespace, config.name) if kind is not None else None


# --- variables --------------------------------------------------------------------------------------


def _variables(case: Case) -> Iterator[Diagnostic]:
    """Variables of templates that are filled in with nothing, by template and configuration."""
    empty, told = cache(_empty), set(_told(case))
    found: dict[tuple[str, Ref, Ref | None, tuple[str, ...]], list[str]] = defaultdict(list)
    for obj in case.hub.after.by_kind.get(CLUSTER_ADDON, ()):
        ref = ref_of(obj)
        now = _sources(obj)
        old = case.hub.before.objects.get(ref)
        was = _sources(old) if old is not None else None
        if now is None or (now == was and not any(each in case.changed for each in now if each)):
            continue
        if now[1] is not None and there(case.hub.after, now[1]) is None:
            continue  # that is told
        fresh = empty(_Key(case.hub.after, *now))
        known = empty(_Key(case.hub.before, *was)) if was is not None else ()
        if lost := tuple(v for v in fresh if v not in known and (now[0], v) not in told):
            found[name_of(obj), *now, lost].append(namespace_of(obj))
    for (addon, template, config, names), clusters in found.items():
        listed = ", ".join(f"{{{{{name}}}}}" for name in names)
        cause = template if template in case.changed or config is None else config
        yield warning(
            "template-variable-empty",
            f"{called(template)} needs {listed}, which nothing gives a value on {few(clusters)}: "
            f"{'it is' if len(names) == 1 else 'they are'} left empty there",
            case.origins.of(cause),
            Ref(*MANAGEMENT_ADDON, "", addon),
            hint=f"name {'it' if len(names) == 1 else 'them'} under spec.customizedVariables of "
            f"{called(config) if config is not None else 'an AddOnDeploymentConfig'}",
        )


def _told(case: Case) -> Iterator[tuple[Ref, str]]:
    """The variables that nothing in the repository gives a value: of these one is warned already."""
    for found in case.preview.diagnostics:
        if found.code == "template-variable":
            for ref in (ref for ref in case.changed if str(ref) == found.subject):
                yield from ((ref, name) for name in _NAMES.findall(found.message))


class _Key:
    """A template and its configuration at one moment; equal where they are the same objects."""

    def __init__(self, moment: Moment, template: Ref, config: Ref | None) -> None:
        self.template = moment.objects.get(template)
        self.config = moment.objects.get(config) if config is not None else None

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, _Key) and self.template is other.template
        return same and self.config is getattr(other, "config", None)

    def __hash__(self) -> int:
        return hash((id(self.template), id(self.config)))


def _sources(addon: Object) -> tuple[Ref, Ref | None] | None:
    """The template that an add-on on a cluster has, and its configuration; None for one of no template."""
    found: dict[object, Ref] = {}
    for each in status_of(at_beta(addon)).get("configReferences") or ():
        config = desired_in(each)
        if config is not None and (ref := _object_of(config)) is not None:
            found.setdefault(ref.of, ref)
    template = found.get(ADDON_TEMPLATE)
    return (template, found.get(DEPLOYMENT_CONFIG)) if template is not None else None


_ANYONE: Mapping[str, Any] = {"metadata": {"name": "CLUSTER"}}


def _empty(key: _Key) -> tuple[str, ...]:
    """The variables of a template that a configuration gives nothing, asked of what fills it in."""
    if key.template is None:
        return ()
    try:
        given = values_for(dict(_ANYONE), key.template, key.config).variables
    except BadValues:
        return ()
    named = (name for manifest in manifests_of(key.template) for name in variables_in(manifest))
    return tuple(dict.fromkeys(name for name in named if name not in given))
