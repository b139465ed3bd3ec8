"""The webhook configurations of a hub, by OCM's names and paths.

What is decided behind these paths is `decide.admission`. A hosted hub calls its webhooks by the address that
the spec gives; else by Service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.decide.kinds import CLUSTER_GROUP, WORK_GROUP
from gitops_ocm.decide.operators.hub_parts import Part, hosted
from gitops_ocm.objects.ref import Object

MUTATING, VALIDATING = "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
HOOKS = (
    ("registration", MUTATING, f"managedclustermutators.admission.{CLUSTER_GROUP}",
     CLUSTER_GROUP, "v1", "managedclusters", "mutate", "managedcluster"),
    ("registration", VALIDATING, f"managedclustervalidators.admission.{CLUSTER_GROUP}",
     CLUSTER_GROUP, "v1", "managedclusters", "validate", "managedcluster"),
    ("registration", VALIDATING, f"managedclustersetbindingvalidators.admission.{CLUSTER_GROUP}",
     CLUSTER_GROUP, "v1beta2", "managedclustersetbindings", "validate", "managedclustersetbinding"),
    ("work", VALIDATING, f"manifestworkvalidators.admission.{WORK_GROUP}",
     WORK_GROUP, "v1", "manifestworks", "validate", "manifestwork"),
)  # fmt: skip
"""webhook, kind of configuration, name, group, version, resource, verb of the path, kind in the path"""


def webhook_configurations(
    cm: Object, running: Sequence[Part], namespace: str, ca_bundle: str, labels: Mapping[str, str]
) -> tuple[Object, ...]:
    """One configuration for each webhook, calling the components that run."""
    by_webhook = {part.webhook: part for part in running if part.webhook}
    found = []
    for webhook, kind, name, group, version, resource, verb, word in HOOKS:
        path = f"/{verb}-{group.replace('.', '-')}-{version}-{word}"
        client = {**_client(cm, by_webhook[webhook], namespace, path), "caBundle": ca_bundle}
        found.append(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": name, "labels": dict(labels)},
                "webhooks": [_hook(name, client, group, version, resource)],
            }
        )
    return tuple(found)


def _hook(name: str, client: Mapping[str, Any], group: str, version: str, resource: str) -> Object:
    return {
        "name": name,
        "clientConfig": dict(client),
        "rules": [
            {
                "operations": ["CREATE", "UPDATE"],
                "apiGroups": [group],
                "apiVersions": [version],
                "resources": [resource],
                "scope": "*",
            }
        ],
        "admissionReviewVersions": ["v1beta1", "v1"],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 10,
    }


def _client(cm: Object, part: Part, namespace: str, path: str) -> Object:
    if not hosted(cm):
        return {"service": {"namespace": namespace, "name": part.service, "path": path, "port": 443}}
    options = ((cm.get("spec") or {}).get("deployOption") or {}).get("hosted") or {}
    given = options.get(f"{part.webhook}WebhookConfiguration") or {}
    if address := given.get("address"):
        return {"url": f"https://{address}:{given.get('port') or 443}{path}"}
    return {"url": f"https://{part.service}.{namespace}.svc{path}"}
