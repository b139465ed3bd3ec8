"""`default/kubernetes`: the Service by which what runs in a cluster finds its API server.

As kube-apiserver keeps it: the first address of the range, and endpoints where there is an address that
others can reach, which one of loopback is not.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.service_addresses import RANGE

NAME, NAMESPACE = "kubernetes", "default"
_PORT = {"name": "https", "protocol": "TCP"}


def own_service(url: str) -> tuple[Object, ...]:
    """The Service of the server at `url`, and its endpoints if it has any."""
    parts = urlsplit(url)
    port = parts.port or 443
    labels = {"component": "apiserver", "provider": "kubernetes"}
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels},
        "spec": {"clusterIP": str(RANGE[1]), "ports": [{**_PORT, "port": 443, "targetPort": port}]},
    }
    address = _reachable(parts.hostname or "")
    return (service, *_endpoints(address, port)) if address else (service,)


def _reachable(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    return "" if address.is_loopback or address.is_unspecified else str(address)


def _endpoints(address: str, port: int) -> tuple[Object, Object]:
    endpoints: Object = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [{"addresses": [{"ip": address}], "ports": [{**_PORT, "port": port}]}],
    }
    slice_: Object = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": NAME},
        },
        "addressType": "IPv6" if ":" in address else "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{**_PORT, "port": port}],
    }
    return endpoints, slice_
