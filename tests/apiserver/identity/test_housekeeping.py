"""The controllers beside the server: woken by changes and by time, and not ended by what fails."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_ocm.apiserver.access_bootstrap import AUTOUPDATE, bootstrap_objects, restored
from gitops_ocm.apiserver.aggregated_roles import gathered
from gitops_ocm.apiserver.housekeeping import RETRY, Chore, Housekeeping
from gitops_ocm.apiserver.rbac import missing_from
from gitops_ocm.apiserver.tokens_bootstrap import BootstrapTokens, expired
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.waiting import turns

START = datetime(2026, 1, 1, tzinfo=UTC)
SECRETS = ("", "secrets")


class Keeper:
    """Housekeeping with one chore that notes what it looked at; the test sets clock and answers."""

    def __init__(self, *answers: float | Exception | None) -> None:
        self.now = START
        self.api = Api(load_catalog(ocm=False), now=lambda: self.now)
        self.seen: list[tuple[str, float]] = []
        self._answers = list(answers)
        chore = Chore("noting", (SECRETS,), self._look)
        self.house = Housekeeping(self.api, (chore,), lambda: self.now)

    def _look(self, key: Key, now: datetime) -> float | None:
        self.seen.append((key.name, (now - START).total_seconds()))
        answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def secret(self, name: str) -> None:
        """A new Secret."""
        served = self.api.catalog.served("v1", "Secret")
        assert served is not None
        self.api.create(served, "default", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})

    def after(self, seconds: float) -> None:
        """Let time pass, and catch up."""
        self.now += timedelta(seconds=seconds)
        self.house.catch_up()


def test_a_change_is_looked_at_once() -> None:
    """What was there at the start by being asked to, what comes by the history; nothing twice."""
    keeper = Keeper()
    keeper.secret("a")
    keeper.house.look_at_everything()
    keeper.secret("b")
    keeper.after(0)
    keeper.after(100)
    assert keeper.seen == [("a", 0), ("b", 0)]


def test_time_wakes_too() -> None:
    """What asks to be looked at later is, at that time and not before."""
    keeper = Keeper(60, 60, None)
    keeper.secret("a")
    for seconds in (0, 59, 1, 60, 1000):
        keeper.after(seconds)
    assert keeper.seen == [("a", 0), ("a", 60), ("a", 120)]


@pytest.mark.parametrize(
    "error", [ApiError("Conflict", "changed"), ApiError("InternalError", "x"), ValueError("bug")]
)
def test_what_fails_is_tried_again(error: Exception) -> None:
    """And keeps nothing else from being looked at."""
    keeper = Keeper(error, None, None)
    keeper.secret("a")
    keeper.secret("b")
    keeper.after(0)
    keeper.after(RETRY)
    assert keeper.seen == [("a", 0), ("b", 0), ("a", RETRY)]


def test_a_forgotten_history_means_looking_at_all() -> None:
    """Where more has happened than is remembered, everything there is gets its look."""
    keeper = Keeper()
    for name in "abc":
        keeper.secret(name)
    keeper.api.store.history.compact()
    keeper.after(0)
    assert [name for name, _ in keeper.seen] == ["a", "b", "c"]


async def test_it_ends_with_the_store() -> None:
    """A store that is closed lets the task end by itself."""
    keeper = Keeper()
    task = asyncio.create_task(keeper.house.run())
    await turns(3)
    keeper.api.close()
    async with asyncio.timeout(10):
        await task


def _token(**fields: str) -> Object:
    known = {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
    }
    data = {k: base64.b64encode(v.encode()).decode() for k, v in (known | fields).items()}
    meta = {"name": "bootstrap-token-abcdef"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta,
        "type": "bootstrap.kubernetes.io/token",
        "data": data,
    }


@pytest.mark.parametrize(
    ("fields", "good"),
    [
        ({}, True),
        ({"expiration": "2026-01-01T00:00:01Z"}, True),
        ({"expiration": "2026-01-01T00:00:00Z"}, False),
        ({"expiration": "soon"}, False),
        ({"token-id": "abcdee"}, False),
        ({"token-secret": "0123456789abcdee"}, False),
        ({"auth-extra-groups": "system:bootstrappers:x,system:masters"}, False),
        ({"auth-extra-groups": "system:bootstrappers:x"}, True),
        ({"usage-bootstrap-authentication": "yes"}, False),
    ],
)
def test_which_bootstrap_tokens_are_good(fields: dict[str, str], good: bool) -> None:
    """One that has not ended, says it authenticates, and names no groups but bootstrappers'."""
    api = Api(load_catalog(ocm=False))
    served = api.catalog.served("v1", "Secret")
    assert served is not None
    api.create(served, "kube-system", _token(**fields))
    found = BootstrapTokens(api.store, lambda: START).authenticate("abcdef.0123456789abcdef", ())
    assert (found is not None) is good
    assert expired(_token(**fields), START) is (fields.get("expiration") in ("2026-01-01T00:00:00Z", "soon"))


def _role(name: str, **more: Any) -> Object:
    return {"metadata": {"name": name, "labels": more.pop("labels", {})}, **more}


def test_roles_gather_rules_in_order_and_once() -> None:
    """By the names of the roles that are selected, each rule once, none of their own."""
    selector = {"clusterRoleSelectors": [{"matchLabels": {"to": "sum"}}]}
    one, two = {"verbs": ["get"]}, {"verbs": ["list"]}
    roles = [
        _role("a", labels={"to": "sum"}, rules=[two, one]),
        _role("b", labels={"to": "sum"}, rules=[one]),
        _role("c", rules=[{"verbs": ["*"]}]),
        _role("sum", labels={"to": "sum"}, aggregationRule=selector, rules=[{"verbs": ["old"]}]),
    ]
    assert gathered(roles[3], roles) == [two, one]
    assert gathered({**roles[3], "rules": [two, one]}, roles) is None
    assert gathered(roles[0], roles) is None


def test_default_roles_get_back_what_they_lost() -> None:
    """Rules and subjects that are missing; what people added stays, and so does a role that is marked."""
    wanted = {(o["kind"], o["metadata"]["name"]): o for o in bootstrap_objects()}
    role = wanted["ClusterRole", "system:basic-user"]
    extra = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    poorer = {**role, "rules": [extra]}
    whole = restored(poorer, role)
    assert whole is not None
    assert whole["rules"][0] == extra
    assert not missing_from(whole["rules"], role["rules"])
    assert restored(whole, role) is None
    own = {**poorer, "metadata": {**role["metadata"], "annotations": {AUTOUPDATE: "false"}}}
    assert restored(own, role) is None
    binding = wanted["ClusterRoleBinding", "system:basic-user"]
    emptied = restored({**binding, "subjects": []}, binding)
    assert emptied is not None
    assert emptied["subjects"] == binding["subjects"]
