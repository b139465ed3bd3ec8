"""What is registered in the server has its say in the verbs of `Api`: their side of `hooks`.

A creation or change may come back as webhooks want it; what is valid is judged once more before it is stored,
and so is a deletion. Who sends no consultation (the server itself, a client in the process) is
judged by what is built in alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gitops_ocm.apiserver.built_in_admission import BuiltInAdmission
from gitops_ocm.apiserver.hooks.admission import Hooks
from gitops_ocm.apiserver.hooks.consultation import Consultation
from gitops_ocm.apiserver.hooks.matching import Write
from gitops_ocm.apiserver.quotas import Quotas
from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.objects import intake, lifecycle
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.objects.rules import warnings

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
_OPTIONS = {CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions"}
_NAMESPACE = Kind("", "Namespace")


class Deciding:
    """The server's own admission, webhooks and policies, as the verbs call on them."""

    def __init__(self, hooks: Hooks, built_in: BuiltInAdmission, quotas: Quotas) -> None:
        self._hooks = hooks
        self._built_in = built_in
        self._quotas = quotas

    def creation(
        self, served: Served, namespace: str, obj: Object, options: WriteOptions
    ) -> tuple[Object, tuple[str, ...]]:
        """A new object as the server itself and webhooks want it, and their warnings."""
        obj = self._built_in.admitted(served, namespace, obj)
        if options.consultation is None:
            return obj, ()
        obj = _placed(obj, namespace, served)
        found, said = self._hooks.mutated(_write(served, obj, None, options), options.consultation)
        return found or obj, said

    def change(
        self, served: Served, old: Object, new: Object, options: WriteOptions, subresource: str
    ) -> tuple[Object | None, tuple[str, ...]]:
        """A change as webhooks want it, None where they let it be, and their warnings."""
        if options.consultation is None:
            return None, ()
        new = _placed(new, old["metadata"].get("namespace") or "", served)
        write = _write(served, new, old, options, subresource)
        found, said = self._hooks.mutated(write, options.consultation)
        return None if found is write.obj else found, said

    def judged(
        self,
        served: Served,
        obj: Object | None,
        old: Object | None,
        options: WriteOptions,
        subresource: str = "",
    ) -> tuple[str, ...]:
        """Raise what refuses the write, quotas last; else what is warned of."""
        told: tuple[str, ...] = ()
        if options.consultation is not None:
            told = (
                warnings.told(served.resource.of, obj, old) if obj is not None and not served.custom else ()
            )
            told += self._hooks.judge(_write(served, obj, old, options, subresource), options.consultation)
        if obj is not None:
            with intake.telling(told):
                self._quotas.check(served, obj, old, subresource)
        return told

    def deletion(
        self,
        served: Served,
        old: Object,
        options: Mapping[str, Any],
        consultation: Consultation | None,
        *,
        named: bool = True,
    ) -> tuple[str, ...]:
        """Raise what refuses a deletion with these DeleteOptions; else what is warned of.

        One of many at once is not `named` to those who are asked.
        """
        if consultation is None:
            return ()
        document = {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", **options}
        told = WriteOptions(dry_run=bool(options.get("dryRun")), consultation=consultation, document=document)
        write = _write(served, None, old, told)
        write = write if named else replace(write, name="")
        _, said = self._hooks.mutated(write, consultation)
        return said + self._hooks.judge(write, consultation)


def _placed(obj: Object, namespace: str, served: Served) -> Object:
    """The object with the namespace it is written to, which need not have been sent."""
    meta = obj["metadata"]
    if not served.resource.namespaced or not namespace or meta.get("namespace"):
        return obj
    return {**obj, "metadata": {**meta, "namespace": namespace}}


def _write(
    served: Served, obj: Object | None, old: Object | None, options: WriteOptions, subresource: str = ""
) -> Write:
    meta = (obj or old or {}).get("metadata") or {}
    name = str(meta.get("name") or "")
    namespace = name if served.resource.of == _NAMESPACE else str(meta.get("namespace") or "")
    operation = DELETE if obj is None else UPDATE if old is not None else CREATE
    return Write(
        operation,
        served,
        namespace,
        name,
        obj,
        old,
        subresource,
        {"kind": _OPTIONS[operation], "apiVersion": "meta.k8s.io/v1", **options.document},
        options.dry_run,
    )


def rewritten(served: Served, old: Object, new: Object, wanted: Object, subresource: str) -> Object:
    """A change as webhooks want it, with the owners it had without them: they manage no fields."""
    result = lifecycle.updated(
        old, wanted, resource=served.resource, subresource=subresource, custom=served.custom
    )
    result = intake.prepared(result, served, old)
    intake.validate(result, old, served)
    meta = {k: v for k, v in result["metadata"].items() if k != "managedFields"}
    if "managedFields" in new["metadata"]:
        meta["managedFields"] = new["metadata"]["managedFields"]
    return {**result, "metadata": meta}
