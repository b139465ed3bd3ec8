"""Keeps the webhooks' certificates: made where missing, renewed when a fifth of their life is left.

The authority is in `signer-secret`, what to trust in `ca-bundle-configmap`, each webhook's certificate in a
Secret that its pods mount. An authority that is replaced stays trusted until it expires, so the API server
accepts webhooks that still show the old one. `decide.operators` puts the bundle into configurations.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime

from gitops_ocm.decide.operators.hub_objects import CA_BUNDLE, CA_KEY
from gitops_ocm.decide.operators.hub_parts import Part, hosted
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CONFIG_MAPS, SECRETS
from gitops_ocm.operator.signing import (
    bundle,
    new_authority,
    new_server,
    read_pair,
    renew_at,
    serves,
)
from gitops_ocm.runtime.certificates import KeyPair

SIGNER = "signer-secret"
MANAGER = "gitops-ocm-operator"
CERTIFICATE, KEY = "tls.crt", "tls.key"


def hosts_of(cm: Object, part: Part, namespace: str) -> tuple[str, ...]:
    """The names by which an API server calls a webhook."""
    found = [f"{part.service}.{namespace}.svc", f"{part.service}.{namespace}.svc.cluster.local"]
    if hosted(cm):
        options = ((cm.get("spec") or {}).get("deployOption") or {}).get("hosted") or {}
        address = (options.get(f"{part.webhook}WebhookConfiguration") or {}).get("address")
        found += [address] if address else []
    return tuple(found)


async def keep_serving(
    cluster: Cluster,
    namespace: str,
    wanted: Mapping[str, Sequence[str]],
    labels: Mapping[str, str],
    now: datetime,
) -> datetime:
    """Make what is missing or due in a namespace, for Secrets → host names; when to look again."""
    signer = await find(cluster, SECRETS, SIGNER, namespace)
    authority = _pair(signer)
    if authority is None or renew_at(authority) <= now:
        authority = new_authority("open-cluster-management-webhook", now)
        await _put(cluster, SECRETS, signer, _tls(SIGNER, namespace, authority, labels))
    await _keep_bundle(cluster, namespace, authority, labels, now)
    again = renew_at(authority)
    for name, hosts in sorted(wanted.items()):
        held = await find(cluster, SECRETS, name, namespace)
        pair = _pair(held)
        if pair is None or renew_at(pair) <= now or not serves(pair, authority, hosts):
            pair = new_server(authority, hosts, now)
            await _put(cluster, SECRETS, held, _tls(name, namespace, pair, labels))
        again = min(again, renew_at(pair))
    return again


async def _keep_bundle(
    cluster: Cluster, namespace: str, authority: KeyPair, labels: Mapping[str, str], now: datetime
) -> None:
    held = await find(cluster, CONFIG_MAPS, CA_BUNDLE, namespace)
    earlier = str(((held or {}).get("data") or {}).get(CA_KEY, ""))
    text = bundle(authority, earlier, now)
    if text == earlier:
        return
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CA_BUNDLE, "namespace": namespace, "labels": dict(labels)},
        "data": {CA_KEY: text},
    }
    await _put(cluster, CONFIG_MAPS, held, body)


async def _put(cluster: Cluster, resource: Resource, held: Object | None, wanted: Object) -> None:
    """Write against what was read: of two operators at once one is refused, and looks again."""
    if held is None:
        await cluster.create(resource, wanted, field_manager=MANAGER)
        return
    meta = {
        **held["metadata"],
        "labels": {**(held["metadata"].get("labels") or {}), **wanted["metadata"]["labels"]},
    }
    await cluster.update(resource, {**held, "metadata": meta, "data": wanted["data"]}, field_manager=MANAGER)


def _pair(secret: Object | None) -> KeyPair | None:
    data = (secret or {}).get("data") or {}
    try:
        certificate, key = (base64.b64decode(data.get(name) or "") for name in (CERTIFICATE, KEY))
    except ValueError:
        return None
    return read_pair(certificate, key)


def _tls(name: str, namespace: str, pair: KeyPair, labels: Mapping[str, str]) -> Object:
    coded = {CERTIFICATE: pair.certificate, KEY: pair.key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "type": "kubernetes.io/tls",
        "data": {key: base64.b64encode(value).decode() for key, value in coded.items()},
    }
