"""The objects that references to configurations name: whether they are there, and what they hash to.

OCM has the manager of each add-on do this, for the kinds it declares. The hub's own rows are the manager of
add-ons made of templates; of other add-ons they leave every hash as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from gitops_ocm.api.addon_words import ADDON_TEMPLATES, DEPLOYMENT_CONFIGS
from gitops_ocm.decide.addons.references import Config
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import ADDON_GROUP, ADDON_TEMPLATE, DEPLOYMENT_CONFIG
from gitops_ocm.objects.go_encoding import go_json
from gitops_ocm.objects.ref import Kind, Object, Ref

KINDS: Mapping[tuple[str, str], Kind] = {
    (ADDON_GROUP, DEPLOYMENT_CONFIGS): DEPLOYMENT_CONFIG,
    (ADDON_GROUP, ADDON_TEMPLATES): ADDON_TEMPLATE,
}
"""What the configuration of an add-on made of a template may be."""
_NOT_CONTENT = ("apiVersion", "kind", "metadata", "status")


def is_templated(cma: Object) -> bool:
    """Whether an add-on (at v1beta1) is made of a template."""
    entries = (cma.get("spec") or {}).get("defaultConfigs") or ()
    return any((e.get("group"), e.get("resource")) == (ADDON_GROUP, ADDON_TEMPLATES) for e in entries)


def spec_hash(obj: Object) -> str:
    """What OCM hashes of an object: all it says, as the API server shows it, in Go's JSON."""
    return sha256(go_json({k: v for k, v in obj.items() if k not in _NOT_CONTENT})).hexdigest()


@dataclass(frozen=True)
class Objects:
    """The configurations of one add-on on a hub; `kinds` are those whose hashes are ours to tell."""

    view: View
    kinds: Mapping[tuple[str, str], Kind]

    @classmethod
    def of(cls, view: View, cma: Object) -> Objects:
        """Those of an add-on at v1beta1."""
        return cls(view, KINDS if is_templated(cma) else {})

    def find(self, config: Config) -> Object | None:
        """The object; None where there is none, or where its kind is not ours."""
        kind = self.kinds.get(config.kind)
        return self.view.get(Ref(*kind, config.namespace, config.name)) if kind is not None else None

    def is_missing(self, config: Config) -> bool:
        """Whether there is surely no such object."""
        return config.kind in self.kinds and self.find(config) is None

    def hash_of(self, config: Config, told: str = "") -> str:
        """The hash of an object's content; what is `told` where that is another manager's to say."""
        if config.kind not in self.kinds:
            return told
        found = self.find(config)
        return spec_hash(found) if found is not None else ""
