"""The policy: what each rule says of a change, who may override it, and whose policy counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGED_CLUSTER, MANIFEST_WORK, REPLICA_SET
from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.objects.cel.patience import OutOfPatience, Patience, hasty
from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.plan.changes import Reason
from gitops_ocm.preview.model import Act, Effect, OnCluster, Preview, Rollout, Ruling, Share, Verdict, Wave
from gitops_ocm.preview.policy.judge import judged
from gitops_ocm.preview.policy.overrides import Override, read_override
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing import objects as make

CATALOG = load_catalog()
NOW = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)  # a Friday
ALLOWED, REFUSED, OVERRIDDEN = Verdict.ALLOWED, Verdict.REFUSED, Verdict.OVERRIDDEN


def config_map(name: str) -> Ref:
    return Ref("", "ConfigMap", "shop", name)


def spread(name: str, placement: str, **strategy: Any) -> Object:
    """A replica set that goes to a placement so."""
    obj = make.replica_set(name, "fleet", [placement], [make.config_map("web")])
    if strategy:
        obj["spec"]["placementRefs"][0]["rolloutStrategy"] = strategy
    return obj


OBJECTS: Sequence[Object] = (
    make.namespace("fleet"),
    make.namespace("shop"),
    *({**make.config_map(f"c{n}"), "metadata": {"name": f"c{n}", "namespace": "shop"}} for n in range(8)),
)


def state(policy: str = "", *objects: Object, commit: str = "b" * 40) -> DesiredState:
    """What a commit with that policy and these objects wants; ten objects where none are given."""
    files = {"hub/all.yaml": "---\n".join(map(to_yaml, objects or OBJECTS))}
    if policy:
        rules = "".join(f"    {line}\n" for line in policy.splitlines())
        files["gitops-ocm.yaml"] = f"policy:\n  rules:\n{rules}"
    return compile_tree(memory_tree(files, commit=commit), CATALOG)


def preview(**given: Any) -> Preview:
    return Preview("b" * 40, "h" * 40, "s" * 40, NOW, fleet=10, **given)


def verdict_of(policy: str, found: Preview, *, head: DesiredState | None = None) -> Ruling:
    """What the one rule of a policy says."""
    base = state(policy)
    assert base.ok, base.diagnostics
    (ruling,) = judged(found, base, head or state(policy)).rulings
    return ruling


def rule(says: str, *, more: str = "") -> str:
    return f"- name: it\n  {says}\n{more}"


def gone(count: int) -> Preview:
    return preview(effects=tuple(Effect(config_map(f"c{n}"), Act.DELETE) for n in range(count)))


def losers(*names: str) -> Preview:
    clusters = (OnCluster(name, (Effect(Ref(*MANIFEST_WORK, name, "web"), Act.DELETE),)) for name in names)
    return preview(clusters=tuple(clusters))


def reaching(at_once: int, *sets: str) -> Preview:
    shares = (Share("", at_once, 10, at_once), *(Share(name, 1, 5, 1) for name in sets))
    gains = Effect(Ref(*MANIFEST_WORK, "c1", "web"), Act.CREATE)
    return preview(shares=shares, clusters=(OnCluster("c1", (gains,), sets=sets),))


HELD_BACK = preview(
    effects=tuple(Effect(config_map(f"c{n}"), Act.KEEP, why=Reason.PRUNE_GUARDED.value) for n in range(6))
)
KEPT = preview(effects=(Effect(config_map("c1"), Act.KEEP, why=Reason.OPTED_OUT.value),))


@pytest.mark.parametrize(
    ("says", "found", "verdict", "words"),
    [
        ("maxDeletions: 2", gone(2), ALLOWED, "2 of 10 objects deleted"),
        ("maxDeletions: 2", gone(3), REFUSED, "3 of 10 objects deleted (ConfigMap shop/c0,"),
        ("maxDeletions: 20%", gone(2), ALLOWED, "at most 2 (20%) may be"),
        ("maxDeletions: 20%", gone(3), REFUSED, "at most 2 (20%) may be"),
        # A share is rounded up, as rollouts do it.
        ("maxDeletions: 11%", gone(2), ALLOWED, "at most 2 (11%)"),
        ("maxDeletions: 0", gone(1), REFUSED, "1 of 10 objects deleted"),
        ("maxDeletions: 0", gone(0), ALLOWED, "0 of 10 objects deleted"),
        # What the prune guard would hold back was to be deleted all the same; what opted out was not.
        ("maxDeletions: 5", HELD_BACK, REFUSED, "6 of 10 objects deleted"),
        ("maxDeletions: 0", KEPT, ALLOWED, "0 of 10"),
        ("maxClustersLosing: 10%", losers("c1"), ALLOWED, "1 of 10 clusters left with less (c1)"),
        ("maxClustersLosing: 10%", losers("c1", "c2"), REFUSED, "2 of 10 clusters left with less (c1, c2)"),
        ("maxClustersLosing: 0", reaching(3), ALLOWED, "0 of 10 clusters"),
        ("maxClustersAtOnce: 25%", reaching(3), ALLOWED, "3 of 10 clusters given something at once"),
        ("maxClustersAtOnce: 25%", reaching(4), REFUSED, "at most 3 (25%) may be"),
        ("maxClustersAtOnce: 1", preview(), ALLOWED, "0 of 10 clusters"),
        ("maxClusterSets: 1", reaching(1, "eu"), ALLOWED, "1 cluster set touched (eu); at most 1 may"),
        ("maxClusterSets: 1", reaching(1, "eu", "us"), REFUSED, "2 cluster sets touched (eu, us)"),
        ("maxClusterSets: 1", reaching(1, "eu", "global"), ALLOWED, "1 cluster set touched"),
        ("maxClusterSets: 0", preview(), ALLOWED, "0 cluster sets touched"),
    ],
)
def test_budgets(says: str, found: Preview, verdict: Verdict, words: str) -> None:
    """A limit lets through what is at it, refuses what is above, and says the numbers."""
    ruling = verdict_of(rule(says), found)
    assert (ruling.verdict, words in ruling.message) == (verdict, True), ruling


def deletes(*refs: Ref) -> Preview:
    return preview(effects=tuple(Effect(ref, Act.DELETE, Location("hub/all.yaml", 3)) for ref in refs))


NAMESPACE = Ref("", "Namespace", "", "shop")
LOST_ADDON = preview(clusters=(OnCluster("c1", (Effect(Ref(*CLUSTER_ADDON, "c1", "log"), Act.DELETE),)),))


@pytest.mark.parametrize(
    ("says", "found", "verdict"),
    [
        ("- kinds: [Namespace]", deletes(NAMESPACE), REFUSED),
        ("- kinds: [Secret]", deletes(NAMESPACE), ALLOWED),
        ("- kinds: [Namespace.example.com]", deletes(NAMESPACE), ALLOWED),
        ("- kinds: [Secret]\n    - names: [sh*]", deletes(NAMESPACE), REFUSED),
        ("- kinds: [Namespace]\n      names: [prod-*]", deletes(NAMESPACE), ALLOWED),
        ("- namespaces: [shop]", deletes(config_map("c1")), REFUSED),
        ("- namespaces: [fleet]", deletes(config_map("c1")), ALLOWED),
        ("- selector: {matchLabels: {tier: gold}}", deletes(config_map("gold")), REFUSED),
        ("- selector: {matchLabels: {tier: gold}}", deletes(config_map("c1")), ALLOWED),
        ("- {}", deletes(config_map("c1")), REFUSED),
        ("- {}", gone(0), ALLOWED),
        ("- kinds: [ConfigMap]", HELD_BACK, REFUSED),
        ("- kinds: [ConfigMap]", KEPT, ALLOWED),
        # What a cluster loses because a placement lets it go counts as well.
        ("- kinds: [ManagedClusterAddOn]", LOST_ADDON, REFUSED),
    ],
)
def test_protected_objects(says: str, found: Preview, verdict: Verdict) -> None:
    """What is protected may be changed and not deleted, whoever would delete it."""
    labels = {"name": "gold", "namespace": "shop", "labels": {"tier": "gold"}}
    gold = {**make.config_map("gold"), "metadata": labels}
    text = rule(f"protected:\n    {says}")
    ruling = judged(found, state(text, *OBJECTS, gold), state(text)).rulings[0]
    assert ruling.verdict is verdict, ruling
    if verdict is REFUSED and found not in (HELD_BACK, LOST_ADDON):
        assert "(hub/all.yaml:3)" in ruling.message


STRATEGIES: dict[str, dict[str, Any]] = {
    "none": {},
    "all": {"type": "All", "all": {"minSuccessTime": "1h"}},
    "hasty": {"type": "Progressive", "progressive": {"minSuccessTime": "5m"}},
    "slow": {"type": "Progressive", "progressive": {"minSuccessTime": "0h15m"}},
    "canary": {
        "type": "ProgressivePerGroup",
        "progressivePerGroup": {
            "minSuccessTime": "600s",
            "mandatoryDecisionGroups": [{"groupName": "canary"}],
        },
    },
}


@pytest.mark.parametrize(
    ("needs", "strategy", "words"),
    [
        ("minSuccessTime: 10m", "none", "its rollout is All, it must be Progressive or ProgressivePerGroup"),
        ("minSuccessTime: 10m", "all", "its rollout is All"),
        ("minSuccessTime: 10m", "hasty", "its minSuccessTime is 5m, it must be 10m or more"),
        ("minSuccessTime: 10m", "slow", ""),
        ("minSuccessTime: 10m", "canary", ""),
        ("mandatoryGroups: [canary]", "slow", "decision group canary must be mandatory"),
        ("mandatoryGroups: [canary]", "canary", ""),
        ("", "hasty", ""),
    ],
)
def test_required_rollouts(needs: str, strategy: str, words: str) -> None:
    """What rolls out over a named placement has to do it so, and is told which of it is missing."""
    text = rule(f"requiredRollout:\n    placements: [fleet/prod-*]\n    {needs}")
    head = state(text, *OBJECTS, spread("web", "prod-eu", **STRATEGIES[strategy]), commit="h" * 40)
    web = Ref(*REPLICA_SET, "fleet", "web")
    changed = preview(effects=(Effect(web, Act.CHANGE),))
    rolling = preview(rollouts=(Rollout(web, (Wave(NOW, ("c1",)),)),))
    for found in (changed, rolling):
        ruling = verdict_of(text, found, head=head)
        assert ruling.verdict is (REFUSED if words else ALLOWED), ruling
        assert words in ruling.message
    # What the change leaves alone may spread as it did; so may what goes elsewhere.
    assert verdict_of(text, gone(1), head=head).verdict is ALLOWED
    elsewhere = state(text, *OBJECTS, spread("web", "test"), commit="h" * 40)
    assert verdict_of(text, changed, head=elsewhere).verdict is ALLOWED


def test_required_rollouts_of_addons() -> None:
    """An add-on's install strategy is held to the same."""
    text = rule("requiredRollout: {placements: [fleet/prod], mandatoryGroups: [canary]}")
    addon = {
        "apiVersion": "addon.open-cluster-management.io/v1alpha1",
        "kind": "ClusterManagementAddOn",
        "metadata": {"name": "log"},
        "spec": {
            "installStrategy": {"type": "Placements", "placements": [{"namespace": "fleet", "name": "prod"}]}
        },
    }
    ref = Ref("addon.open-cluster-management.io", "ClusterManagementAddOn", "", "log")
    found = preview(effects=(Effect(ref, Act.CREATE),))
    ruling = verdict_of(text, found, head=state(text, *OBJECTS, addon))
    assert ruling.verdict is REFUSED
    assert "ClusterManagementAddOn log over fleet/prod: its rollout is All" in ruling.message


WEEKEND = "freeze:\n    from: Fri 17:00\n    to: Mon 08:00\n    timeZone: Europe/Berlin"


@pytest.mark.parametrize(
    ("says", "found", "ends"),
    [
        (WEEKEND, gone(1), "2026-11-30 07:00"),
        (WEEKEND, replace(gone(1), now=NOW - timedelta(hours=1)), None),
        (WEEKEND, preview(), None),
        (WEEKEND + "\n    clusterSets: [eu]", reaching(1, "eu"), "2026-11-30 07:00"),
        (WEEKEND + "\n    clusterSets: [eu]", reaching(1, "us"), None),
        (WEEKEND + "\n    kinds: [ManifestWork]", reaching(1, "us"), "2026-11-30 07:00"),
        (WEEKEND + "\n    kinds: [ConfigMap]", gone(1), "2026-11-30 07:00"),
        (WEEKEND + "\n    kinds: [Secret]", gone(1), None),
        (WEEKEND + "\n    clusterSets: [eu]\n    kinds: [ConfigMap]", gone(1), "2026-11-30 07:00"),
    ],
)
def test_freezes(says: str, found: Preview, ends: str | None) -> None:
    """In its time a freeze refuses what it holds, says until when, and lets everything else pass."""
    ruling = verdict_of(rule(says), found)
    until = datetime.fromisoformat(ends).replace(tzinfo=UTC) if ends else None
    assert (ruling.verdict, ruling.until) == (REFUSED if ends else ALLOWED, until), ruling
    assert ends is None or "frozen until Mon 2026-11-30 08:00 Europe/Berlin" in ruling.message


def test_a_freeze_without_times_holds_until_it_is_lifted() -> None:
    """It refuses, and no time will end it."""
    ruling = verdict_of(rule("freeze: {}"), gone(1))
    assert (ruling.verdict, ruling.until) == (REFUSED, None)
    assert "until the rule is lifted" in ruling.message


SCALED = preview(
    effects=(
        Effect(
            config_map("c1"),
            Act.CHANGE,
            Location("hub/all.yaml", 7),
            (Difference("data.v", "1", "2"), Difference("data.w", ABSENT, "3")),
        ),
    ),
    shares=(Share("", 2, 10, 2),),
    clusters=(OnCluster("c1", (Effect(Ref(*MANAGED_CLUSTER, "", "c1"), Act.CHANGE),), sets=("eu",)),),
    rollouts=(Rollout(Ref(*REPLICA_SET, "fleet", "web"), (Wave(NOW, ("c1",), ("canary",)),), end=NOW),),
)


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("change.changed == 1 && change.deleted == 0 && change.clusters == 10", ALLOWED),
        ("change.shares.all(s, s.atOnce <= 1)", REFUSED),
        ("objects.all(o, o.act == 'change' && o.kind == 'ConfigMap' && o.namespace == 'shop')", ALLOWED),
        ("objects.exists(o, o.path.startsWith('hub/') && o.line == 7)", ALLOWED),
        ("objects.all(o, o.fields.all(f, has(f.before)))", REFUSED),
        ("objects.all(o, o.fields.exists(f, f.path == 'data.v' && f.after == '2'))", ALLOWED),
        ("objects.all(o, o.object.data.k == o.oldObject.data.k)", ALLOWED),
        ("clusters.all(c, !('eu' in c.sets))", REFUSED),
        ("clusters.exists(c, c.objects.exists(o, o.kind == 'ManagedCluster'))", ALLOWED),
        ("selections.all(s, s.lost.size() <= 3)", ALLOWED),
        ("rollouts.all(r, r.waves[0].clusters.size() == 1 && 'canary' in r.waves[0].groups)", ALLOWED),
        ("rollouts.all(r, r.end - now < duration('1h'))", ALLOWED),
        ("now.getDayOfWeek('Europe/Berlin') != 5", REFUSED),
    ],
)
def test_expressions(expression: str, verdict: Verdict) -> None:
    """Expressions see all of the change, typed, and refuse where they are not true."""
    data = {**make.config_map("c1"), "metadata": {"name": "c1", "namespace": "shop"}, "data": {"k": "v"}}
    text = f"- name: it\n  message: So it is.\n  expression: >-\n    {expression}\n"
    base, head = state(text, data), state(text, data, commit="h" * 40)
    assert base.ok, base.diagnostics
    (ruling,) = judged(SCALED, base, head).rulings
    assert ruling.verdict is verdict, ruling
    assert verdict is ALLOWED or ruling.message.endswith("So it is.")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("expression: objects[5].kind == 'a'", "it cannot be told: index out of bounds: 5"),
        ("expression: 'false'\n  messageExpression: \"'found ' + objects[0].name\"", "found c0"),
        ("expression: 'false'\n  messageExpression: objects[7].name", "nor can its message be told"),
        ("expression: \"objects.all(o, 'xxxxxxxxxxxxxx'.matches('(x+x+)+y') || true) && false\"", "not true"),
    ],
)
def test_expressions_that_refuse(says: str, words: str) -> None:
    """One that has no value refuses as one that is false, and says why."""
    ruling = verdict_of(rule(says), gone(1))
    assert ruling.verdict is REFUSED
    assert words in ruling.message


def test_an_expression_that_costs_too_much_refuses() -> None:
    """What its text did not show shows when it is asked: it is stopped, and refuses."""
    twenty = str([*range(20)])
    often = f'{twenty}.all(i, {twenty}.all(j, !objects[0].object.data.k.contains("needle")))'
    text = rule(f"expression: >-\n    {often}")
    large = {
        **make.config_map("c1"),
        "metadata": {"name": "c1", "namespace": "shop"},
        "data": {"k": "h" * 500_000},
    }
    found = preview(effects=(Effect(config_map("c1"), Act.CHANGE),))
    ruling = verdict_of(text, found, head=state(text, large, commit="h" * 40))
    assert ruling.verdict is REFUSED
    assert "cost limit exceeded" in ruling.message


def test_whoever_is_in_a_hurry_can_stop_it() -> None:
    """The one who asks may set an end to it, which is no ruling."""
    with pytest.raises(OutOfPatience), hasty(Patience(lambda: True, 1)):
        verdict_of(rule("expression: objects.all(o, o.kind != 'a' + o.name)"), gone(8))


def test_secrets_are_no_secrets_of_expressions() -> None:
    """A rule cannot put a Secret's value into its message."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
    text = rule("expression: 'false'", more="  messageExpression: objects[0].object.stringData.k\n")
    head = state(text, {**secret, "stringData": {"k": "hunter2"}}, commit="h" * 40)
    found = preview(effects=(Effect(Ref("", "Secret", "shop", "s"), Act.CREATE),))
    assert verdict_of(text, found, head=head).message == "***"


# --- overrides --------------------------------------------------------------------------------------

FEW = "- name: few\n  maxDeletions: 1\n  message: Ask first.\n"


@pytest.mark.parametrize(
    ("overrides", "verdict", "told"),
    [
        ([], REFUSED, []),
        ([("few: agreed in #12", "c1")], OVERRIDDEN, []),
        ([("few:   agreed   in #12  ", "c1")], OVERRIDDEN, []),
        ([("few: agreed in #12", "c1"), ("few: older", "c0")], OVERRIDDEN, []),
        ([("few", "c1")], REFUSED, ["gives no reason"]),
        ([("few:", "c1")], REFUSED, ["gives no reason"]),
        ([("fev: agreed", "c1")], REFUSED, ["names no rule: 'fev'"]),
        ([("policy: agreed", "c1")], REFUSED, []),
    ],
)
def test_overrides(overrides: list[tuple[str, str]], verdict: Verdict, told: list[str]) -> None:
    """A trailer with a rule and a reason lets the refusal through, and is recorded with its commit."""
    read = [read_override(text, commit) for text, commit in overrides]
    found = judged(gone(2), state(FEW), state(FEW), read)
    (ruling,) = found.rulings
    assert ruling.verdict is verdict
    assert (ruling.override, ruling.by) == (("agreed in #12", "c1") if verdict is OVERRIDDEN else ("", ""))
    assert ruling.message.endswith("may be. Ask first.")
    assert len(found.warnings) == len(told)
    assert all(words in d.message for words, d in zip(told, found.warnings, strict=True))
    assert found.refused is (verdict is REFUSED)


def test_an_override_of_what_is_allowed_changes_nothing() -> None:
    """It is not used, so it is not recorded."""
    (ruling,) = judged(gone(1), state(FEW), state(FEW), [Override("few", "in case", "c1")]).rulings
    assert (ruling.verdict, ruling.override) == (ALLOWED, "")


def test_some_rules_cannot_be_overridden() -> None:
    """Where a rule says so, a trailer is told that it does not count."""
    strict = FEW + "  overridable: false\n"
    (ruling,) = judged(gone(2), state(strict), state(strict), [Override("few", "please", "c1")]).rulings
    assert ruling.verdict is REFUSED
    assert "cannot be overridden" in ruling.message


# --- whose policy counts ----------------------------------------------------------------------------

TWO = FEW + "- name: keep\n  protected: [{kinds: [Namespace]}]\n"


@pytest.mark.parametrize(
    ("base", "head", "verdict", "words"),
    [
        ("", FEW, ALLOWED, "gains the rule 'few'"),
        (FEW, TWO, ALLOWED, "gains the rule 'keep'"),
        (TWO, FEW, REFUSED, "the policy is loosened: it loses the rule 'keep'"),
        (TWO, "", REFUSED, "loses the rule 'few'; loses the rule 'keep'"),
        (FEW, FEW.replace("1", "0"), ALLOWED, "changes the rule 'few': maxDeletions 1 → 0"),
        (FEW, FEW.replace("1", "2"), REFUSED, "changes the rule 'few': maxDeletions 1 → 2"),
        (FEW, FEW.replace("1", "1%"), REFUSED, "maxDeletions 1 → 1%"),
        (FEW.replace("1", "20%"), FEW.replace("1", "10%"), ALLOWED, "maxDeletions 20% → 10%"),
        (FEW, FEW.replace("Ask first", "Ask"), ALLOWED, "changes the rule 'few': message"),
        (FEW, FEW + "  overridable: false\n", ALLOWED, "overridable true → false"),
        (FEW + "  overridable: false\n", FEW, REFUSED, "overridable false → true"),
        (FEW, FEW.replace("maxDeletions: 1", "maxClusterSets: 1"), REFUSED, "maxDeletions 1 → none"),
        (
            TWO,
            TWO.replace("[Namespace]", "[Namespace, Secret]"),
            REFUSED,
            "changes the rule 'keep': protected",
        ),
        (TWO, TWO, None, ""),
    ],
)
def test_a_change_of_the_policy(base: str, head: str, verdict: Verdict | None, words: str) -> None:
    """It is told, and refused where it loosens anything, or cannot be seen not to."""
    found = judged(preview(), state(base), state(head, commit="h" * 40))
    own = [ruling for ruling in found.rulings if ruling.rule == "policy"]
    assert [ruling.verdict for ruling in own] == ([verdict] if verdict else [])
    assert all(words in ruling.message for ruling in own)
    assert all(ruling.where.path == "gitops-ocm.yaml" and ruling.where.line for ruling in own)


def test_a_change_cannot_loosen_what_judges_it() -> None:
    """The base commit's limit counts though the change raises it; both have to be overridden."""
    base, head = state(FEW), state(FEW.replace("1", "100"), commit="h" * 40)
    found = judged(gone(2), base, head)
    assert [(r.rule, r.verdict) for r in found.rulings] == [("few", REFUSED), ("policy", REFUSED)]
    assert found.rulings[0].where == Location("gitops-ocm.yaml", 3, "b" * 40, 7)
    meant = [Override("few", "the old shop goes", "c2"), Override("policy", "more is normal now", "c1")]
    assert not judged(gone(2), base, head, meant).refused
    assert judged(gone(2), base, head, meant[:1]).refused


def test_a_base_that_cannot_be_read_leaves_the_judgement_to_the_head() -> None:
    """What repairs a broken policy can be merged, and is held to what it says itself."""
    found = judged(gone(2), state("- name: few\n  maxDeletion: 1\n"), state(FEW, commit="h" * 40))
    assert [(r.rule, r.verdict) for r in found.rulings] == [("few", REFUSED)]
    assert [d.code for d in found.warnings] == ["policy-of-base"]


def test_a_broken_change_is_not_judged() -> None:
    """It is refused for what is wrong with it; what only the hub would refuse is judged all the same."""
    broken = preview(diagnostics=(Diagnostic("yaml-syntax", "no"),))
    head = state(FEW, {"kind": "Nothing"})
    assert not head.ok
    assert judged(broken, state(FEW), head) is broken
    refused = replace(gone(2), diagnostics=(Diagnostic("hub-refuses", "no"),))
    assert [r.verdict for r in judged(refused, state(FEW), state(FEW)).rulings] == [REFUSED]


def test_without_a_policy_nothing_is_said() -> None:
    """Not even of overrides."""
    found = gone(9)
    assert judged(found, state(), state(), [Override("x", "y")]) == found
