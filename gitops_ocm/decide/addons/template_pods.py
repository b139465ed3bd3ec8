"""What a template's add-on adds to the pods of its Deployments and DaemonSets.

Credentials, variables, a proxy, where to run, where images come from and what containers ask for. Init
containers are left as they are. Each step changes the pod template it is given, a copy of nobody's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from gitops_ocm.api.registration import ADDON_NAMESPACE
from gitops_ocm.decide.addons.images import mirrored
from gitops_ocm.decide.addons.template_values import BadValues, ContainerRule, Values
from gitops_ocm.objects.cel.regexes import compiled
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.workload_values import WORKLOADS, NotTyped, typed

Pairs = Iterable[tuple[str, str]]
_PROXY_CA_PATH, _PROXY_CA_KEY = "/managed/proxy-ca", "ca-bundle.crt"


def client_secret(addon: str) -> str:
    """The Secret with an agent's access to the hub."""
    return f"{addon}-hub-kubeconfig"


def signer_secret(addon: str, signer: str) -> str:
    """The Secret with an agent's certificate of a signer."""
    return f"{addon}-{signer.replace('/', '-')}-client-cert"


def proxy_ca_name(addon: str) -> str:
    """The ConfigMap with the certificates of a proxy."""
    return f"{addon}-proxy-ca"


def decorate(workload: Object, addon: str, template: Object, values: Values) -> None:
    """Change the pods of a workload (as `workload_values` gives it) as an add-on's agent needs them."""
    pod = workload["spec"]["template"]["spec"]
    containers = pod["containers"] or []
    _environment(containers, values.environment)
    _mount(pod, containers, _credentials(addon, (template.get("spec") or {}).get("registration") or ()))
    _place(pod, values)
    if values.registries:
        for container in containers:
            _set(container, "image", mirrored(container.get("image", ""), values.registries))
    _proxied(pod, containers, addon, values)
    identity = f"{WORKLOADS[workload['kind']]}:{workload['metadata'].get('name', '')}"
    for container in containers:
        _demands(container, f"{identity}:{container['name']}", values.containers)


def _set(holder: Object, field: str, value: Any) -> None:
    """A field that Go leaves out where it is empty."""
    holder.pop(field, None)
    if value:
        holder[field] = value


def _environment(containers: Iterable[Object], pairs: Pairs) -> None:
    added = [{"name": name, **({"value": value} if value else {})} for name, value in pairs]
    for container in containers:
        _set(container, "env", [*(container.get("env") or ()), *added])


def _credentials(addon: str, registrations: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, Object]]:
    """Name, path and source of the volumes with an agent's credentials."""
    found: list[tuple[str, str, Object]] = []
    for registration in registrations:
        if registration.get("type") == "KubeClient":
            source = {"secret": {"secretName": client_secret(addon)}}
            found.append(("hub-kubeconfig", "/managed/hub-kubeconfig", source))
        elif registration.get("type") == "CustomSigner":
            told = registration.get("customSigner")
            if told is None:
                raise BadValues("custom signer is nil", hint="give spec.registration[].customSigner")
            signer = str(told.get("signerName") or "")
            path = signer.replace("/", "-")
            source = {"secret": {"secretName": signer_secret(addon, signer)}}
            found.append((f"cert-{path.replace('.', '-')}", f"/managed/{path}", source))
    return found


def _mount(pod: Object, containers: Iterable[Object], volumes: list[tuple[str, str, Object]]) -> None:
    if not volumes:
        return
    mounts = [{"name": name, "mountPath": path} for name, path, _ in volumes]
    for container in containers:
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), *mounts]
    pod["volumes"] = [
        *(pod.get("volumes") or ()),
        *({"name": name, **source} for name, _, source in volumes),
    ]


def _place(pod: Object, values: Values) -> None:
    """Tolerations count where a node selector is given, be it empty; then they replace the template's."""
    told = values.node_placement or {}
    selector = told.get("nodeSelector")
    if selector is not None:
        _set(pod, "nodeSelector", dict(selector))
        _set(pod, "tolerations", [typed(each, "Toleration") for each in told.get("tolerations") or ()])


def _proxied(pod: Object, containers: list[Object], addon: str, values: Values) -> None:
    told = values.proxy or {}
    pairs = [
        (spelled, str(told[field]))
        for field, name in (
            ("httpProxy", "HTTP_PROXY"),
            ("httpsProxy", "HTTPS_PROXY"),
            ("noProxy", "NO_PROXY"),
        )
        if told.get(field)
        for spelled in (name, name.lower())
    ]
    if not pairs:
        return
    _environment(containers, pairs)
    if told.get("caBundle"):
        _environment(containers, [("CA_BUNDLE_FILE_PATH", f"{_PROXY_CA_PATH}/{_PROXY_CA_KEY}")])
        source = {"configMap": {"name": proxy_ca_name(addon)}}
        _mount(pod, containers, [("proxy-ca-bundle", _PROXY_CA_PATH, source)])


def proxy_ca(addon: str, values: Values) -> Object | None:
    """The ConfigMap with the certificates of a proxy, if there are any."""
    text = str((values.proxy or {}).get("caBundle") or "")
    if not text:
        return None
    try:
        bundle = base64.b64decode(text, validate=True).decode(errors="replace")
    except binascii.Error as error:
        raise BadValues(
            f"spec.proxyConfig.caBundle is not base64: {error}", hint="encode the PEM file"
        ) from error
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": proxy_ca_name(addon), "namespace": ADDON_NAMESPACE},
        "data": {_PROXY_CA_KEY: bundle},
    }


def _demands(container: Object, identity: str, rules: Iterable[ContainerRule]) -> None:
    """What a container asks for: by the last rule that fits."""
    for rule in reversed(list(rules)):
        try:
            fits = compiled(rule.pattern).search(identity.encode()) is not None
        except ValueError:
            continue  # A pattern that is none fits nothing.
        if fits:
            try:
                container["resources"] = typed(rule.resources, "ResourceRequirements")
            except NotTyped as error:
                raise BadValues(f"the resources of {rule.pattern} cannot be read: {error}") from error
            return
