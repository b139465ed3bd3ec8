"""What is asked of whatever runs in a pod: logs, exec, attach, port-forward, proxies.

No kubelet is here to be asked, so the answer is always that of a server which cannot reach one: why not, as
far as a server finds out by itself. Simulated pods have no logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from gitops_ocm.apiserver.handlers_options import integer
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.subresources import PROXY
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.apiserver.workloads_pods import NODE
from gitops_ocm.objects.faults import ApiError, Cause, bad_request, invalid, not_found
from gitops_ocm.objects.ref import Object

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_LEAST = {"tailLines": 0, "limitBytes": 1, "sinceSeconds": 1}


class Connections:
    """Answers in the place of kubelets and pods, from one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def refuse(
        self, plural: str, namespace: str, name: str, subresource: str, query: Mapping[str, str]
    ) -> None:
        """Raise why nobody can be reached; return where there is nothing to be read yet."""
        if subresource == PROXY:
            self._refuse_proxy(plural, namespace, name)
        pod = self._found("pods", namespace, name)
        if subresource == "log":
            _check_log(name, query)
        if subresource != "portforward":
            _check_container(pod, query.get("container", ""))
        node = (pod.get("spec") or {}).get("nodeName")
        if not node and subresource == "log":
            return
        if not node:
            raise bad_request(f"pod {name} does not have a host assigned")
        if node == NODE:
            raise _unavailable(f'pod "{name}" is simulated: nothing runs in it')
        self._refuse_node(node, "pods")

    def _refuse_proxy(self, plural: str, namespace: str, name: str) -> None:
        _, named, port = _parts(plural, name)
        if plural == "nodes":
            self._refuse_node(named, "nodes")
        if plural == "services":
            self._refuse_service(namespace, name, named, port)
        pod = self._found("pods", namespace, named)
        status = pod.get("status") or {}
        if not _is_reachable(str(status.get("podIP") or "")):
            raise bad_request("address not allowed")
        raise _unavailable(f'nothing listens at the address of pod "{named}": pods are simulated here')

    def _refuse_service(self, namespace: str, text: str, name: str, port: str) -> None:
        if port.isdecimal():
            service = self._found("services", namespace, name)
            ports = (service.get("spec") or {}).get("ports") or ()
            if all(each.get("port") != int(port) for each in ports):
                raise _unavailable(f'no service port {port} found for service "{name}"')
        if self._store.get(Key("", "endpoints", namespace, name)) is None:
            raise not_found("", "services", name)
        raise _unavailable(f'no endpoints available for service "{text}"')

    def _refuse_node(self, name: str, plural: str) -> None:
        """A server that finds no node says so of what was asked for."""
        node = self._store.get(Key("", "nodes", "", name))
        if node is None:
            raise not_found("", plural, name)
        addresses = (node.get("status") or {}).get("addresses") or []
        if not addresses:
            text = "no preferred addresses found; known addresses: []"
            raise ApiError("InternalError", text, details={}, bare=True)
        raise _unavailable(f'no kubelet runs on node "{name}": pods are simulated here')

    def _found(self, plural: str, namespace: str, name: str) -> Object:
        obj = self._store.get(Key("", plural, namespace, name))
        if obj is None:
            raise not_found("", plural, name)
        return obj


def _check_log(name: str, query: Mapping[str, str]) -> None:
    causes = []
    for field, least in _LEAST.items():
        value = integer(query, field)
        if query.get(field) and value < least:
            why = "must be greater than 0" if least else "must be greater than or equal to 0"
            causes.append(Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", field))
    if causes:
        raise invalid("", "PodLogOptions", name, causes)


def _check_container(pod: Object, wanted: str) -> None:
    spec, name = pod.get("spec") or {}, pod["metadata"]["name"]
    names = [str(c.get("name")) for key in _CONTAINERS for c in spec.get(key) or ()]
    if wanted and wanted not in names:
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    if not wanted and len(spec.get("containers") or ()) != 1:
        choice = f"choose one of: [{' '.join(names)}]"
        raise bad_request(f"a container name must be specified for pod {name}, {choice}")


def _parts(plural: str, text: str) -> tuple[str, str, str]:
    """Scheme, name and port of `name`, `name:port` or `scheme:name:port`."""
    parts = text.split(":")
    if len(parts) == 1:
        return "", parts[0], ""
    scheme, name, port = ("", *parts) if len(parts) == 2 else (*parts, *("",) * 3)[:3]
    if len(parts) > 3 or not name or scheme not in ("", "http", "https"):
        raise bad_request(f'invalid {plural.removesuffix("s")} request "{text}"')
    return scheme, name, port


def _is_reachable(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified)


def _unavailable(text: str) -> ApiError:
    return ApiError("ServiceUnavailable", text)
