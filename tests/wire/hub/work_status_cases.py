"""Cases of ManifestWorkReplicaSets: what their status makes of what agents report."""

from __future__ import annotations

from typing import Any

from gitops_ocm.testing.objects import config_map, replica_set
from tests.wire.hub.cases import Case, Collected
from tests.wire.hub.stage import Stage, conditions
from tests.wire.hub.work_fleet import DONE, Fleet, part, placed, status, summary, told

case = Collected()
ROLLED = DONE | {"Progressing": "False"}


@case()
async def nothing_is_reported_yet(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.clusters("a", "b")
    await fleet.decide("p", ("a", "b"))
    owner = await fleet.set("p", rules=True)
    two = summary(total=2)
    wanted = told("AsExpected", "!Progressing", "!NotAsExpected", two, part("p", 1, 2, 2, two))
    await stage.becomes(lambda: status(stage, owner), wanted)


TYPES = ("Applied", "Available", "Progressing", "Degraded")
VERDICTS = {"T": "True", "F": "False", "U": "Unknown"}
REPORTS = {  # name: what is said of each type (or nothing), whether it is rolled out, whether it is applied
    "done": ("T T F F", "Complete", "AsExpected"),
    "done-without-degraded": ("T T F -", "Complete", "AsExpected"),
    "progressing": ("T T T F", "!Progressing", "!Processing"),
    "progressing-unavailable": ("T F T -", "!Progressing", "!Processing"),
    "failed": ("T T T T", "!Progressing", "!NotAsExpected"),
    "done-but-degraded": ("T T F T", "Complete", "!NotAsExpected"),
    "done-but-unavailable": ("T F F -", "Complete", "!NotAsExpected"),
    "not-applied": ("F T F -", "!Progressing", "AsExpected"),
    "unknown": ("T T U -", "!Progressing", "AsExpected"),
    "no-progress-told": ("T T - -", "!Progressing", "AsExpected"),
}


def _reported(name: str) -> Case:
    letters, rolled_out, applied = REPORTS[name]
    said = {type_: VERDICTS[v] for type_, v in zip(TYPES, letters.split(), strict=True) if v in VERDICTS}

    async def run(stage: Stage) -> None:
        fleet, owner = await placed(stage, ("a",), rules=True)
        await fleet.reports("a", said)
        counts = {t.lower(): int(said.get(t) == "True") for t in TYPES}
        one = summary(total=1, **counts)
        wanted = told("AsExpected", rolled_out, applied, one, part("p", 1, 1, 1, one))
        await stage.becomes(lambda: status(stage, owner), wanted)

    return Case(f"reported-{name}", run)


@case()
async def what_an_older_work_reported(stage: Stage) -> None:
    """It is counted, but the rollout waits for the agent to have seen the new one."""
    fleet, owner = await placed(stage, ("a",), rules=True)
    await fleet.reports("a", ROLLED, stale=True)
    one = summary(total=1, applied=1, available=1)
    wanted = told("AsExpected", "!Progressing", "AsExpected", one, part("p", 1, 1, 1, one))
    await stage.becomes(lambda: status(stage, owner), wanted)
    await fleet.reports("a", ROLLED)
    wanted["PlacementRolledOut"] = "Complete"
    await stage.becomes(lambda: status(stage, owner), wanted)


@case(differs="without a Progressing rule PlacementRolledOut never becomes True")
async def rolled_out_without_rules(stage: Stage) -> None:
    fleet, owner = await placed(stage, ("a", "b"))
    await fleet.reports("a", DONE)
    await fleet.reports("b", DONE)
    two = summary(total=2, applied=2, available=2)
    wanted = told("AsExpected", "Complete", "AsExpected", two, part("p", 1, 2, 2, two))
    await stage.becomes(lambda: status(stage, owner), wanted)


@case()
async def a_new_template_starts_over(stage: Stage) -> None:
    fleet, owner = await placed(stage, ("a",), rules=True)
    await fleet.reports("a", ROLLED)
    one = summary(total=1, applied=1, available=1)
    wanted = told("AsExpected", "Complete", "AsExpected", one, part("p", 1, 1, 1, one))
    await stage.becomes(lambda: status(stage, owner), wanted)
    template = {"workload": {"manifests": [config_map("c", data={"new": "yes"})]}}
    await stage.patch(owner, {"spec": {"manifestWorkTemplate": template}})
    wanted["PlacementRolledOut"] = "!Progressing"
    await stage.becomes(lambda: status(stage, owner), wanted)
    await fleet.reports("a", ROLLED)
    wanted["PlacementRolledOut"] = "Complete"
    await stage.becomes(lambda: status(stage, owner), wanted)


@case()
async def a_name_too_long_for_a_label(stage: Stage) -> None:
    home = await stage.namespace("home")
    long = stage.name("x" * (62 - len(home) - len(stage.prefix)))
    made = await stage.create(replica_set(long, home, [stage.name("p")], [config_map("c")]))

    async def applied() -> Any:
        return conditions(await stage.get(made)).get("ManifestworkApplied")

    text = (
        f'ManifestWork owner reference "{home}.{long}" (namespace.name) is not a valid label value: '
        "must be no more than 63 bytes; recreate the ManifestWorkReplicaSet with a shorter namespace "
        "and/or name so the combined length is at most 63 characters"
    )
    await stage.becomes(applied, ("False", "InvalidManifestWorkName", text))


CASES = [*case.cases, *map(_reported, REPORTS)]
