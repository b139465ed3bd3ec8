"""The inventory: ids that name one object each, and a round trip through a HubSync's status."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.inventory import Entry, Inventory, InventoryUnreadable, entry_id, parse_id

DNS = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
RBAC_NAME = st.from_regex(r"[A-Za-z0-9_:.-]{1,30}", fullmatch=True)
REFS = st.builds(
    Ref,
    group=st.one_of(st.just(""), DNS),
    kind=st.from_regex(r"[A-Z][A-Za-z0-9]{0,20}", fullmatch=True),
    namespace=st.one_of(st.just(""), st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)),
    name=RBAC_NAME,
)
ENTRIES = st.builds(
    Entry,
    version=st.sampled_from(["v1", "v1beta1"]),
    digest=st.one_of(st.just(""), st.from_regex(r"[0-9a-f]{16}", fullmatch=True)),
    held=st.booleans(),
)


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        (Ref("", "ConfigMap", "default", "a"), "default_a__ConfigMap"),
        (Ref("", "Namespace", "", "a"), "_a__Namespace"),
        (Ref("apps", "Deployment", "shop", "web"), "shop_web_apps_Deployment"),
        (
            Ref("rbac.authorization.k8s.io", "ClusterRole", "", "system:a_b__c"),
            "_system:a_b__c_rbac.authorization.k8s.io_ClusterRole",
        ),
    ],
)
def test_ids_are_as_documented(ref: Ref, text: str) -> None:
    """An id spells namespace, name, group and kind, also where a name has underscores of its own."""
    assert entry_id(ref) == text
    assert parse_id(text) == ref


@settings(derandomize=True, deadline=None)
@given(REFS)
def test_ids_are_unambiguous(ref: Ref) -> None:
    """Every object's id names that object and no other."""
    assert parse_id(entry_id(ref)) == ref


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(REFS, ENTRIES, max_size=20))
def test_status_round_trip(entries: dict[Ref, Entry]) -> None:
    """What is written to a status is read back, in an order that does not depend on history."""
    status = Inventory(entries).to_status()
    assert dict(Inventory.from_status(status)) == entries
    assert Inventory(dict(reversed(entries.items()))).to_status() == status


@pytest.mark.parametrize("text", ["", "a", "a_b", "a_b_c", "_b__", "__c_D"])
def test_a_damaged_id_is_an_error_for_people(text: str) -> None:
    """An entry that names no object is said so, with what to do."""
    with pytest.raises(InventoryUnreadable) as caught:
        Inventory.from_status({"entries": [{"id": text, "v": "v1", "d": ""}]})
    assert "remove the entry" in caught.value.hint


def test_values_do_not_change() -> None:
    """Adding and removing makes new inventories."""
    a, b = Ref("", "ConfigMap", "n", "a"), Ref("", "ConfigMap", "n", "b")
    one = Inventory({a: Entry("v1", "1")})
    two = one.with_entries({b: Entry("v1", "2")})
    assert list(one) == [a]
    assert list(two.without([a])) == [b]
    assert list(two) == [a, b]
