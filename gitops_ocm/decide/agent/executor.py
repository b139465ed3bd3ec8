"""By whose leave a work is applied: what its executor may do is asked before anything is written.

`spec.executor` names a ServiceAccount of the managed cluster. The agent applies with its own rights, so it
asks the cluster whether that account may create, update, patch and get the object, and delete it where the
work is to own it. That does not tell who grants more than they hold: roles and bindings are rehearsed as that
account besides. An object that is there stays when the right is taken away; only `Applied` says so then.

Words and order are OCM's (`spoke/auth/basic`). Who may name an executor the hub says: `decide.admission`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.decide.agent.manifests import Item
from gitops_ocm.decide.contract import Create, Result, Side
from gitops_ocm.decide.kinds import RBAC_GROUP
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.rights import Right
from gitops_ocm.objects.served import ACCESS_REVIEWS

LOOK_AGAIN = 60.0
"""Seconds after which an executor that lacks a right is asked about again: nobody tells of new rights."""
_VERBS = ("create", "update", "patch", "get")
_SERVICE_ACCOUNT = "ServiceAccount"


@dataclass(frozen=True)
class Refusal:
    """Why a manifest may not be applied. `lasting`: the answer was no, and not that there was none."""

    message: str
    lasting: bool = True


@dataclass(frozen=True)
class Executor:
    """The account named by a work; `fault` says what is wrong with how it is named."""

    namespace: str = ""
    name: str = ""
    fault: str = ""

    @property
    def user(self) -> str:
        """What an API server calls it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    def questions(self, item: Item) -> list[Create]:
        """What to ask the cluster about one manifest."""
        asked = [Create(self._review(right, item), Side.SPOKE) for right in _rights(item)]
        if item.ref is not None and item.ref.group == RBAC_GROUP:
            asked.append(Create(item.manifest, Side.SPOKE, rehearsed_by=self.user))
        return asked

    def _review(self, right: Right, item: Item) -> Object:
        groups = (
            "system:serviceaccounts",
            "system:authenticated",
            f"system:serviceaccounts:{self.namespace}",
        )
        attributes = {**right.attributes(), "version": item.meta["version"]}
        return {
            "apiVersion": ACCESS_REVIEWS.api_version,
            "kind": ACCESS_REVIEWS.kind,
            "metadata": {},
            "spec": {"user": self.user, "groups": list(groups), "resourceAttributes": attributes},
        }


def executor_of(work: Mapping[str, Any]) -> Executor | None:
    """The executor of a work; None where the agent's own rights are all that counts."""
    executor = (work.get("spec") or {}).get("executor")
    if executor is None:
        return None
    subject = executor.get("subject") or {}
    if subject.get("type") != _SERVICE_ACCOUNT:
        return Executor(fault=f"only support {_SERVICE_ACCOUNT} type for the executor")
    account = subject.get("serviceAccount")
    if account is None:
        return Executor(fault="the executor service account is nil")
    return Executor(account.get("namespace") or "", account.get("name") or "")


def refusal(item: Item, answers: Sequence[Result]) -> Refusal | None:
    """What the answers to an item's questions come to; None: it may be applied."""
    for answer in answers:
        if isinstance(answer.write, Create) and answer.write.rehearsed_by:
            return _rehearsed(item, answer.error)
        if answer.error is not None:
            return Refusal(answer.error.message, lasting=False)
        if not ((answer.obj or {}).get("status") or {}).get("allowed"):
            return Refusal(_denied(item))
    return None


def _rehearsed(item: Item, error: ApiError | None) -> Refusal | None:
    """What is there already passed the check on what is granted: that comes first."""
    if error is None or error.reason == "AlreadyExists":
        return None
    if error.reason == "Forbidden" and error.details.get("kind") != "serviceaccounts":
        return Refusal(_denied(item, ", error: permission escalation"))
    return Refusal(error.message, lasting=False)  # the agent itself may not speak for the account, or worse


def _denied(item: Item, why: str = "") -> str:
    what = "{group} {resource}, {namespace} {name}".format(**item.meta)
    return f"not allowed to apply the resource {what}{why}, will try again in 1m0s"


def _rights(item: Item) -> Iterator[Right]:
    meta = item.meta
    for verb in _VERBS if item.orphan else (*_VERBS, "delete"):
        yield Right(verb, meta["group"], meta["resource"], "", meta["namespace"], meta["name"])
