"""What is made sense of beside requests: what webhooks answer, what is registered, what lies in files."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from gitops_ocm.apiserver.backup import restore
from gitops_ocm.apiserver.hooks.consultation import Consultation, Unanswered
from gitops_ocm.apiserver.hooks.reviews import Unusable, verdict
from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.tables import columns_of_crd, table
from gitops_ocm.apiserver.tokens_bootstrap import BootstrapTokens, expiration, signing_secret
from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.kube.kubeconfig import held_kubeconfig
from gitops_ocm.objects.cel.patience import OutOfPatience, Patience, hasty
from gitops_ocm.objects.cel_conditions import ConditionFailed, evaluated
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.clock import SystemClock
from tests.fuzz.strategies import DEPLOYMENT, WIDGET

Target = Callable[[bytes], None]
_ASKED: Object = {"apiVersion": "admission.k8s.io/v1", "request": {"uid": "u"}}
_ANSWER = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
_SEEN = {"object": DEPLOYMENT, "oldObject": WIDGET, "request": {"name": "n"}, "params": None}
_MANY_STEPS = 2_000


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def webhook_answer(data: bytes) -> None:
    """What a webhook said: as a whole, and as the response of a review that is in order."""
    found = _json(data)
    response = {**found, "uid": "u"} if isinstance(found, dict) else found
    for answer in (found, {**_ANSWER, "response": response}):
        for mutating in (False, True):
            try:
                verdict("hook.example.com", _ASKED, answer, mutating=mutating)
            except Unusable:
                continue


@cache
def _hooked() -> Api:
    """A store whose ConfigMaps a webhook may change."""
    api = Api(load_catalog())
    rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
    hook = {
        "name": "hook.example.com",
        "clientConfig": {"url": "https://hook.example.com/"},
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
    served = api.catalog.served(kind["apiVersion"], kind["kind"])
    assert served is not None
    api.create(served, "", {**kind, "metadata": {"name": "hooks"}, "webhooks": [hook]})
    return api


def webhook_patch(data: bytes) -> None:
    """The patch in such a response, and the object that it makes of what was sent."""
    api, consultation = _hooked(), Consultation()
    served = api.catalog.served("v1", "ConfigMap")
    assert served is not None
    patch = base64.b64encode(data).decode()
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "v"}}
    options = WriteOptions(dry_run=True, consultation=consultation)
    for _ in range(3):
        try:
            api.create(served, "default", obj, options)
            return
        except Unanswered as needed:
            for question in needed.questions:
                uid = question.review["request"]["uid"]
                response = {"uid": uid, "allowed": True, "patchType": "JSONPatch", "patch": patch}
                answer = {**_ANSWER, "response": response}
                with suppress(Unusable):
                    told = verdict("hook.example.com", question.review, answer, mutating=True)
                    consultation.answers[question.key] = told


def expression(data: bytes) -> None:
    """A condition of a policy, compiled and asked of a write."""
    steps = iter(range(_MANY_STEPS))
    try:
        with hasty(Patience(lambda: next(steps, None) is None, _MANY_STEPS * 10)):
            evaluated(data.decode("utf-8", "replace"), _SEEN)
    except (ConditionFailed, OutOfPatience):
        return


def backup_file(data: bytes) -> None:
    """A file that is to be restored."""
    with TemporaryDirectory() as folder:
        Path(folder, "backup").write_bytes(data)
        restore(Path(folder, "backup"), Path(folder, "hub"))


@cache
def _state() -> bytes:
    with TemporaryDirectory() as folder:
        SqliteStorage(Path(folder, "state.db")).close()
        return Path(folder, "state.db").read_bytes()


def state_file(data: bytes) -> None:
    """A state file some bytes of which are others: two for where, the rest for what."""
    whole = bytearray(_state())
    at = int.from_bytes(data[:2], "big") % len(whole)
    whole[at : at + len(data) - 2] = data[2:]
    with TemporaryDirectory() as folder:
        Path(folder, "state.db").write_bytes(whole)
        storage = SqliteStorage(Path(folder, "state.db"))
        try:
            for _ in storage.load():
                pass
            storage.version()
        finally:
            storage.close()


def kubeconfig(data: bytes) -> None:
    """A kubeconfig in a Secret."""
    held_kubeconfig({"kubeconfig": data}, "kubeconfig", "a Secret")


@cache
def _secrets() -> tuple[Api, BootstrapTokens]:
    api = Api(load_catalog())
    return api, BootstrapTokens(api.store, SystemClock().now)


def bootstrap_token(data: bytes) -> None:
    """The data of a Secret with a bootstrap token, which is then shown."""
    api, tokens = _secrets()
    found = _json(data)
    text = {
        str(key): base64.b64encode(str(value).encode("utf-8", "replace")).decode()
        for key, value in (found if isinstance(found, dict) else {}).items()
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "bootstrap-token-abcdef", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {"token-id": "YWJjZGVm", "token-secret": "MDEyMzQ1Njc4OWFiY2RlZg==", **text},
    }
    served = api.catalog.served("v1", "Secret")
    assert served is not None
    kept = api.create(served, "kube-system", secret).obj
    try:
        expiration(kept)
        signing_secret(kept, SystemClock().now())
        tokens.authenticate("abcdef.0123456789abcdef", ())
    finally:
        api.delete(served, "kube-system", "bootstrap-token-abcdef")


def columns(data: bytes) -> None:
    """A path of a printer column, shown as each type."""
    path = data.decode("utf-8", "replace")
    types = ("string", "integer", "number", "boolean", "date")
    found = columns_of_crd([{"name": kind, "type": kind, "jsonPath": path} for kind in types])
    table(found, (DEPLOYMENT, WIDGET), SystemClock().now(), list_meta={})


BESIDE: dict[str, Target] = {
    "webhook answer": webhook_answer,
    "webhook patch": webhook_patch,
    "expression": expression,
    "backup": backup_file,
    "state": state_file,
    "kubeconfig": kubeconfig,
    "bootstrap token": bootstrap_token,
    "printer column": columns,
}
