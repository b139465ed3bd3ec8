"""What the options of `gitops-ocm join` come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitops_ocm.cli.install_options import image_from, operator_options, patience_of
from gitops_ocm.verbs.voice import VerbError

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import Connection
    from gitops_ocm.verbs.hub_lookup import HubAccess
    from gitops_ocm.verbs.join import JoinOptions
    from gitops_ocm.verbs.klusterlet_objects import KlusterletSpec
    from gitops_ocm.verbs.voice import Voice

_MODES = {
    ("default", False): "Default",
    ("default", True): "Singleton",
    ("hosted", False): "Hosted",
    ("hosted", True): "SingletonHosted",
}


async def join_options(
    options: dict[str, Any], at: Connection, voice: Voice
) -> tuple[JoinOptions, HttpCluster | None]:
    """What was asked for, and in hosted mode the other cluster, for the caller to close."""
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.kubeconfig import load_kubeconfig
    from gitops_ocm.verbs.chart_values import read_values
    from gitops_ocm.verbs.join import JoinOptions, check_access
    from gitops_ocm.verbs.spec_options import read_file

    check_access(options)
    mode, file = _mode(options), options["managed_cluster_kubeconfig"]
    spec, access = _spec(options, mode, at, voice), _access(options)
    values = read_values(options["klusterlet_values_file"], "klusterlet", ("priorityClassName",))
    managed = None
    if file is not None:
        text = read_file(file, "managed cluster's kubeconfig")
        managed = HttpCluster(load_kubeconfig(file)), text
    found = JoinOptions(
        access=access,
        spec=spec,
        operator=operator_options(options),
        values=values,
        managed=managed,
        internal_endpoint=options["force_internal_endpoint_lookup"],
        internal_endpoint_managed=options["force_internal_endpoint_lookup_managed"],
        grpc=_grpc(options),
        dry_run=options["dry_run"],
        patience=patience_of(options),
    )
    return found, managed[0] if managed else None


def _mode(options: dict[str, Any]) -> str:
    """The Klusterlet's mode; a managed cluster's kubeconfig belongs to the hosted ones, and to them alone."""
    mode, file = options["mode"].lower(), options["managed_cluster_kubeconfig"]
    found = _MODES.get((mode, options["singleton"]))
    if found is None:
        raise VerbError("deploy mode should be default or hosted", hint=f"it cannot be {options['mode']!r}")
    if mode == "default" and file is not None:
        raise VerbError(
            "--managed-cluster-kubeconfig should not be set in default deploy mode", hint="add --mode hosted"
        )
    if mode == "hosted" and file is None:
        raise VerbError(
            "--managed-cluster-kubeconfig should be set in hosted deploy mode",
            hint="name the kubeconfig of the cluster that is managed",
        )
    return found


def _access(options: dict[str, Any]) -> HubAccess:
    from gitops_ocm.verbs.hub_lookup import HubAccess, merged_pem
    from gitops_ocm.verbs.spec_options import read_file

    found = {}
    for key in ("ca_file", "proxy_ca_file"):
        if (file := options[key]) is None:
            continue
        found[key] = merged_pem(read_file(file, "CA"))
        if not found[key]:
            raise VerbError(f"{file} holds no certificate", hint="give a PEM file")
    proxy = options["proxy_url"]
    if proxy and not proxy.startswith(("http://", "https://")):
        raise VerbError(f"--proxy-url {proxy} is no URL", hint="write it like http://10.0.0.1:3128")
    if options["proxy_ca_file"] is not None and not proxy:
        raise VerbError("--proxy-ca-file needs --proxy-url", hint="say which proxy, or leave it out")
    return HubAccess(
        server=options["hub_apiserver"],
        token=options["hub_token"],
        ca=found.get("ca_file", b""),
        proxy_url=proxy,
        proxy_ca=found.get("proxy_ca_file", b""),
    )


def _spec(options: dict[str, Any], mode: str, at: Connection, voice: Voice) -> KlusterletSpec:
    from gitops_ocm.api.feature_gates import SPOKE, parse_gates
    from gitops_ocm.verbs.klusterlet_objects import KLUSTERLET, KlusterletSpec, annotations_of

    annotations, malformed = annotations_of(options["klusterlet_annotation"])
    for text in malformed:
        voice.note(f"--klusterlet-annotation {text!r} is not key=value; left out")
    return KlusterletSpec(
        name=KLUSTERLET,
        cluster=options["cluster_name"],
        image=image_from(options),
        mode=mode,
        gates=parse_gates(options["feature_gates"], SPOKE),
        certificate_seconds=options["client_cert_expiration_seconds"],
        annotations=annotations,
        registration_driver=_registration(options, at),
        addon_driver=_addons(options),
        resource_requirement=operator_options(options).resource_requirement,
    )


def _registration(options: dict[str, Any], at: Connection) -> dict[str, Any]:
    match options["registration_auth"]:
        case "csr":
            return {}
        case "awsirsa":
            if not options["hub_cluster_arn"]:
                raise VerbError(
                    "hub-cluster-arn is required when registration-auth type is awsirsa",
                    hint="give --hub-cluster-arn arn:aws:eks:REGION:ACCOUNT:cluster/NAME",
                )
            managed = options["managed_cluster_arn"] or at.cluster
            arns = {"hubClusterArn": options["hub_cluster_arn"], "managedClusterArn": managed}
            return {"authType": "awsirsa", "awsIrsa": arns}
        case "grpc":
            if not options["grpc_server"]:
                raise VerbError(
                    "grpc-server is required when registration-auth type is grpc", hint="give --grpc-server"
                )
            return {"authType": "grpc"}
        case other:
            raise VerbError("invalid registration-Auth type", hint=f"{other!r} is none of csr, awsirsa, grpc")


def _grpc(options: dict[str, Any]) -> tuple[str, bytes] | None:
    from gitops_ocm.verbs.spec_options import read_file

    if options["registration_auth"] != "grpc":
        return None
    file: Path | None = options["grpc_ca_file"]
    return options["grpc_server"], read_file(file, "gRPC CA") if file is not None else b""


def _addons(options: dict[str, Any]) -> dict[str, Any]:
    kind, seconds = options["addon_kubeclient_registration_auth"], options["addon_token_expiration_seconds"]
    if kind == "csr":
        return {}
    if kind != "token":
        raise VerbError(
            "invalid addon-kubeclient-registration-auth type. Must be 'csr' or 'token'",
            hint=f"it cannot be {kind!r}",
        )
    if seconds < 0:
        raise VerbError("addon-token-expiration-seconds must be non-negative", hint="0 leaves it to the hub")
    return {"authType": "token", **({"token": {"expirationSeconds": seconds}} if seconds else {})}
