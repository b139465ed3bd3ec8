"""The `authorizer` of admission expressions: whether whoever writes might do something else as well. Pure.

    authorizer.group('apps').resource('deployments').namespace('shop').check('delete').allowed()

Whoever evaluates an expression hands in an `Authorizer` that can be asked; here are its functions and types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from gitops_ocm.objects.cel.declarations import Functions, Overload, kubernetes
from gitops_ocm.objects.cel.faults import EvalError
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS as KUBERNETES
from gitops_ocm.objects.cel.types import BOOL, STRING, Type
from gitops_ocm.objects.names import label_problems, subdomain_problems

_PACKAGE = "kubernetes.authorization"
AUTHORIZER, PATH_CHECK, GROUP_CHECK, RESOURCE_CHECK, DECISION = (
    Type("struct", f"{_PACKAGE}.{name}")
    for name in ("Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision")
)


@dataclass(frozen=True)
class Decision:
    """Whether something is allowed, and what is said of it."""

    allowed: bool
    reason: str = ""
    error: str = ""
    cel_type = DECISION


@dataclass(frozen=True)
class Check:
    """What might be done: with a resource, or with a path that is none."""

    authorizer: Authorizer
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def cel_type(self) -> Type:
        """As which of its types expressions see it."""
        return PATH_CHECK if self.path else RESOURCE_CHECK if self.resource else GROUP_CHECK


@dataclass(frozen=True)
class Authorizer:
    """Somebody whose rights can be asked for: `ask` takes a check and a verb.

    `account` is the same for a ServiceAccount, by its namespace and name.
    """

    ask: Callable[[Check, str], Decision]
    account: Callable[[str, str], Authorizer]
    cel_type = AUTHORIZER


def _path(authorizer: Authorizer, path: str) -> Check:
    if not path.strip():
        raise EvalError("path must not be empty")
    return Check(authorizer, path=path)


def _resource(check: Check, resource: str) -> Check:
    if not resource.strip():
        raise EvalError("resource must not be empty")
    return replace(check, resource=resource)


def _account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    if subdomain_problems(name):
        raise EvalError("Invalid service account name")
    if label_problems(namespace):
        raise EvalError("Invalid service account namespace")
    return authorizer.account(namespace, name)


def _check(check: Check, verb: str) -> Decision:
    return check.authorizer.ask(check, verb)


def _unheeded(check: Check, selector: str) -> Check:
    """Selectors narrow what is asked for; rules of roles know nothing of them."""
    return check


_TABLE: tuple[tuple[str, Type, int, Type, Callable[..., Any]], ...] = (
    ("path", AUTHORIZER, 1, PATH_CHECK, _path),
    ("group", AUTHORIZER, 1, GROUP_CHECK, lambda authorizer, group: Check(authorizer, group=group)),
    ("serviceAccount", AUTHORIZER, 2, AUTHORIZER, _account),
    ("resource", GROUP_CHECK, 1, RESOURCE_CHECK, _resource),
    ("subresource", RESOURCE_CHECK, 1, RESOURCE_CHECK, lambda check, name: replace(check, subresource=name)),
    ("namespace", RESOURCE_CHECK, 1, RESOURCE_CHECK, lambda check, name: replace(check, namespace=name)),
    ("name", RESOURCE_CHECK, 1, RESOURCE_CHECK, lambda check, name: replace(check, name=name)),
    ("fieldSelector", RESOURCE_CHECK, 1, RESOURCE_CHECK, _unheeded),
    ("labelSelector", RESOURCE_CHECK, 1, RESOURCE_CHECK, _unheeded),
    ("check", PATH_CHECK, 1, DECISION, _check),
    ("check", RESOURCE_CHECK, 1, DECISION, _check),
    ("allowed", DECISION, 0, BOOL, lambda decision: decision.allowed),
    ("reason", DECISION, 0, STRING, lambda decision: decision.reason),
    ("errored", DECISION, 0, BOOL, lambda decision: bool(decision.error)),
    ("error", DECISION, 0, STRING, lambda decision: decision.error),
)
"""Functions by the type they are called on: how many texts they take, what they give, what they do."""


def _named(function: str, on: Type) -> str:
    return f"authz_{on.name.rpartition('.')[2]}_{function}"


@cache
def functions() -> Functions:
    """All functions of Kubernetes' expressions, and those of authorizers."""
    found = dict(kubernetes())
    for function, on, texts, gives, _ in _TABLE:
        overload = Overload(function, _named(function, on), True, (on, *(STRING,) * texts), gives, False)
        found[function] = (*found.get(function, ()), overload)
    return found


IMPLEMENTATIONS: Mapping[str, Callable[..., Any]] = {
    **KUBERNETES,
    **{_named(function, on): does for function, on, _, _, does in _TABLE},
}
