"""The RoleBindings (and an author's Roles) on the hub by which add-ons' agents may do what is asked for them.

In its cluster's namespace an add-on has its bindings to itself, and they go with it. A binding in another
namespace is shared by the agents of all clusters: each adds itself where it is not meant already, and the
binding goes with the last of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL, ADDON_TEMPLATE_LABEL
from gitops_ocm.decide.addons.management import BY_NAME
from gitops_ocm.decide.addons.subjects import client_groups
from gitops_ocm.decide.contract import Apply, Delete, View, Write
from gitops_ocm.decide.kinds import CLUSTER_ADDON, ROLE_BINDING
from gitops_ocm.decide.writes import delete, ensure, labels_of, name_of, namespace_of
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.ref import Object, Ref, ref_of


def granting(view: View, addon: Object, wanted: Iterable[Object]) -> tuple[Write, ...]:
    """The writes that grant an add-on's agent what it is to have, and in its own namespace nothing else."""
    wanted = list(wanted)
    chosen = _distinct(obj for obj in wanted if obj["kind"] == ROLE_BINDING.kind)
    roles = [obj for obj in wanted if obj["kind"] != ROLE_BINDING.kind]
    writes: list[Write] = [write for role in roles for write in ensure(view, role)]
    for binding in chosen:
        writes += _bring(view, addon, binding)
    kept = {ref_of(binding) for binding in chosen}
    for live in _labelled(view, name_of(addon), namespace_of(addon)):
        writes += delete(live) if ref_of(live) not in kept else ()
    return tuple(writes)


def _distinct(wanted: Iterable[Object]) -> list[Object]:
    """Bindings by their names; a second role under the name of a first gets one of its own."""
    found: dict[Ref, Object] = {}
    for binding in wanted:
        ref, role = ref_of(binding), binding["roleRef"]
        if ref in found and found[ref]["roleRef"] != role:
            named = {**binding["metadata"], "name": f"{ref.name}:{role.get('name', '')}"}
            binding = {**binding, "metadata": named}
        found[ref_of(binding)] = binding
    return list(found.values())


def _bring(view: View, addon: Object, binding: Object) -> list[Write]:
    live = view.get(ref_of(binding))
    if live is None:
        return [Apply(binding)]
    if not covers(binding["roleRef"], live["roleRef"]):
        # Which role is bound cannot be changed.
        return [*delete(live), Apply(binding)]
    if namespace_of(binding) != namespace_of(addon):
        binding = _shared(binding, live, addon)
    return [] if covers(binding, live) else [Apply(binding)]


def _shared(binding: Object, live: Object, addon: Object) -> Object:
    """A binding that agents of other clusters are in too, with this one's."""
    held: list[Object] = live.get("subjects") or []
    everywhere = client_groups(namespace_of(addon), name_of(addon))[1]
    common = [s for s in binding["subjects"] if s["kind"] == "Group" and s["name"] == everywhere]
    if common and any(covers(common[0], subject) for subject in held):
        return {**binding, "subjects": held}
    missing = [s for s in binding["subjects"] if not any(covers(s, subject) for subject in held)]
    return {**binding, "subjects": [*held, *missing]}


def left_over(view: View, addon: str) -> tuple[Delete, ...]:
    """The bindings of an add-on that is on no cluster any more."""
    if view.indexed(BY_NAME, addon):
        return ()
    return tuple(write for binding in _labelled(view, addon) for write in delete(binding))


def _labelled(view: View, addon: str, namespace: str | None = None) -> Sequence[Object]:
    return view.list(ROLE_BINDING, namespace, labels={ADDON_NAME_LABEL: addon, ADDON_TEMPLATE_LABEL: ""})


def addons_of(view: View, binding: Object) -> Iterable[Ref]:
    """The add-ons that a binding is for: the one in its namespace, else those on all clusters."""
    labels = labels_of(binding)
    name = labels.get(ADDON_NAME_LABEL)
    if not name or ADDON_TEMPLATE_LABEL not in labels:
        return ()
    own = Ref(*CLUSTER_ADDON, namespace_of(binding), name)
    if view.get(own) is not None:
        return (own,)
    return [ref_of(addon) for addon in view.indexed(BY_NAME, name)]
