"""Which credentials the add-ons of a cluster are to have, and where they are to be.

Pure; `klusterlet.addons` gets them. An add-on's status says what it registers for: the hub's API, with a
certificate or a token, or signers of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.api.addon_words import HOSTING_CLUSTER_ANNOTATION, INSTALL_NAMESPACE_ANNOTATION
from gitops_ocm.api.registration import ADDON_NAMESPACE, TOKEN_READY
from gitops_ocm.decide.agent.certificates import Wanted, for_addon
from gitops_ocm.decide.writes import annotations_of, conditions_of, name_of, namespace_of, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.conversion_addons import addon_to_alpha, addon_to_beta
from gitops_ocm.objects.ref import Object, split_api_version

TOKEN_DRIVER = "token"  # noqa: S105 -- a way to register
TOKEN_LEFT = 0.2
_UID = re.compile(r"\(UID: ([^)\s]+)\)")


@dataclass(frozen=True)
class TokenWanted:
    """A token of a ServiceAccount on the hub, of this very one."""

    namespace: str
    account: str
    uid: str


@dataclass(frozen=True)
class AddonCredentials:
    """What an add-on's agent identifies with: the Secret it is to be in, and how to come by it.

    `hosted` add-ons run beside the agent, not on the managed cluster: so does their Secret.
    """

    addon: str
    namespace: str
    secret: str
    how: Wanted | TokenWanted
    kubeconfig: bool = False
    hosted: bool = False


def at_beta(addon: Object) -> Object:
    """An add-on as v1beta1 has it, whichever version the hub showed."""
    return addon if split_api_version(addon["apiVersion"])[1] == "v1beta1" else addon_to_beta(addon)


def install_namespace(addon: Object) -> str:
    """Where the add-on's agent runs; `addon` at v1beta1."""
    told = status_of(addon).get("namespace") or annotations_of(addon).get(INSTALL_NAMESPACE_ANNOTATION)
    return str(told or ADDON_NAMESPACE)


def is_hosted(addon: Object) -> bool:
    """Whether its agent runs somewhere else than on the managed cluster."""
    return bool(annotations_of(addon).get(HOSTING_CLUSTER_ANNOTATION))


def with_driver(addon: Object, driver: str) -> Object:
    """The status fields that say how add-ons get at the hub here, and with tokens as whom.

    Empty where they say so already.
    """
    beta = at_beta(addon)
    registered = list(status_of(beta).get("registrations") or ())
    if not any(r.get("type") == "kubeClient" for r in registered):
        return {}
    changed = {"registrations": [_driven(registration, addon, driver) for registration in registered]}
    if split_api_version(addon["apiVersion"])[1] == "v1alpha1":
        told = addon_to_alpha({"metadata": {}, "status": changed})["status"]
        changed = {field: told[field] for field in ("registrations", "kubeClientDriver")}
    have = status_of(addon)
    return {field: value for field, value in changed.items() if have.get(field) != value}


def _driven(registration: Mapping[str, Any], addon: Object, driver: str) -> Object:
    if registration.get("type") != "kubeClient":
        return dict(registration)
    client = {**(registration.get("kubeClient") or {}), "driver": driver}
    if driver == TOKEN_DRIVER:
        account = f"system:serviceaccount:{namespace_of(addon)}:{name_of(addon)}-agent"
        client["subject"] = {"user": account}
    return {**registration, "kubeClient": client}


def credentials_of(addon: Object, driver: str, lifetime: int = 0) -> tuple[AddonCredentials, ...]:
    """What an add-on is to have; nothing of what its status does not say in full yet."""
    beta = at_beta(addon)
    found = []
    for registration in status_of(beta).get("registrations") or ():
        if registration.get("type") == "customSigner":
            made = _of_signer(beta, registration.get("customSigner") or {}, lifetime)
        else:
            made = _of_client(beta, registration.get("kubeClient") or {}, driver, lifetime)
        found += [made] if made is not None and made not in found else []
    return tuple(found)


def _of_signer(addon: Object, told: Mapping[str, Any], lifetime: int) -> AddonCredentials | None:
    signer = str(told.get("signerName") or "")
    if not signer:
        return None
    name = name_of(addon)
    how = for_addon(namespace_of(addon), name, told.get("subject") or {}, signer=signer, lifetime=lifetime)
    secret = f"{name}-{signer.replace('/', '-')}-client-cert"
    return AddonCredentials(name, install_namespace(addon), secret, how, hosted=is_hosted(addon))


def _of_client(addon: Object, told: Mapping[str, Any], driver: str, lifetime: int) -> AddonCredentials | None:
    name, cluster = name_of(addon), namespace_of(addon)
    how: Wanted | TokenWanted | None
    if driver == TOKEN_DRIVER:
        how = _token(addon)
    else:
        how = for_addon(cluster, name, told.get("subject") or {}, lifetime=lifetime)
    if how is None:
        return None
    secret = f"{name}-hub-kubeconfig"
    return AddonCredentials(name, install_namespace(addon), secret, how, True, is_hosted(addon))


def _token(addon: Object) -> TokenWanted | None:
    """The account the hub has made for it; None until the hub says that it has."""
    ready = conditions.find(conditions_of(addon), TOKEN_READY) or {}
    uid = _UID.search(str(ready.get("message", "")))
    if ready.get("status") != "True" or uid is None:
        return None
    return TokenWanted(namespace_of(addon), f"{name_of(addon)}-agent", uid[1])


def refresh_at(issued: datetime, expires: datetime) -> datetime:
    """When a token is to be replaced: with a fifth of its life left."""
    return expires - timedelta(seconds=(expires - issued).total_seconds() * TOKEN_LEFT)
