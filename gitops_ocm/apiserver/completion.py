"""The last stage of a write before it is stored: what is allotted to the object, and admission.

It gets valid objects whose owners are known already, so what it fills in is nobody's field.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gitops_ocm.apiserver import csr_admission, csr_rules
from gitops_ocm.apiserver.namespaces import namespace_key
from gitops_ocm.apiserver.registry import resource_of
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.service_addresses import SERVICE, addressed
from gitops_ocm.objects.service_ports import ported


class Completion:
    """Completes writes to one store."""

    def __init__(self, store: Store, now: Callable[[], datetime], admission: Webhooks | None) -> None:
        self._store = store
        self._now = now
        self._admission = admission

    def __call__(
        self, served: Served, obj: Object, old: Object | None, options: WriteOptions, subresource: str = ""
    ) -> Object:
        """The object to store, the same one where nothing is to be done; raises what refuses it."""
        kind = served.resource.of
        if kind == SERVICE and not subresource:
            others = self._store.objects(resource_of(served)).values
            return ported(addressed(obj, old, others), old, others)
        if kind == csr_rules.KIND:
            return csr_admission.admitted(obj, old, subresource, options.requester, self._now())
        if self._admission is None or not self._admission.judges(kind, subresource):
            return obj
        return self._admission.admit(
            obj, old, self._now(), namespace=self._namespace, requester=options.requester
        )

    def _namespace(self, name: str) -> Object | None:
        return self._store.get(namespace_key(name))
