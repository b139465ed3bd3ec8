"""What people get wrong in Git, through the command line: told with file and line, and nothing is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment, run, run_each
from gitops_ocm.testing.gitops import SYNCS, Repo
from tests.e2e.conftest import Hub

pytestmark = pytest.mark.slow

Eventually = Callable[..., Awaitable[object]]


def config_map(name: str, namespace: str = "default") -> str:
    """A ConfigMap as a file."""
    where = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{where}}}\ndata: {{a: b}}\n"


WORK = (
    "apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\n"
    "metadata: {name: w, namespace: default}\n"
)
PLACEMENT = (
    "apiVersion: cluster.open-cluster-management.io/v1beta1\nkind: Placement\n"
    "metadata: {name: p, namespace: default}\n"
)

BAD_COMMITS: dict[str, tuple[dict[str, str], list[str]]] = {
    "unparsable YAML": (
        {"hub/bad.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\ndata: {}\n"},
        [r"hub/bad\.yaml:4@"],
    ),
    "an unknown field in a kind of ours": (
        {"hub/bad.yaml": WORK + "spec:\n  workload: {manifests: []}\n  workloads: {}\n"},
        [r"hub/bad\.yaml:6@.*unknown field 'spec.workloads' \(did you mean \"workload\"\?\)"],
    ),
    "an unknown field in a kind of Kubernetes'": (
        {"hub/bad.yaml": config_map("a") + "dta: {}\n"},
        [r"hub/bad\.yaml:5@.*unknown field 'dta' \(did you mean \"data\"\?\)"],
    ),
    "a wrong type": (
        {"hub/bad.yaml": PLACEMENT + "spec:\n  numberOfClusters: many\n"},
        [r"hub/bad\.yaml:5@.*spec.numberOfClusters: must be a whole number, not text 'many'"],
    ),
    "no namespace": (
        {"hub/bad.yaml": config_map("a", "")},
        [r"hub/bad\.yaml:3@.*lives in a namespace, and none is given \(set metadata.namespace\)"],
    ),
    "the same object twice": (
        {"hub/a.yaml": config_map("twice"), "hub/b.yaml": config_map("twice")},
        [r"hub/b\.yaml:1@.*also written in hub/a\.yaml:1 \(keep one of them\)"],
    ),
    "a kind the hub does not serve": (
        {"hub/bad.yaml": "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: b}\n"},
        [r"hub/bad\.yaml:2@.*the hub does not serve Widget \(example.com/v1\)"],
    ),
    "a kind misspelt": (
        {"hub/bad.yaml": config_map("a").replace("ConfigMap", "ConfigMup")},
        [r"hub/bad\.yaml:2@.*did you mean \"ConfigMap\"\?"],
    ),
    "a key the layout does not know": (
        {"gitops-ocm.yaml": "apiVersion: config.gitops-ocm.io/v1alpha1\nkind: FleetRepository\nsinc: {}\n"},
        [r"gitops-ocm\.yaml:3@.*unknown key 'sinc' \(did you mean \"sync\"\?\)"],
    ),
    "a layout of the wrong type": (
        {
            "gitops-ocm.yaml": "apiVersion: config.gitops-ocm.io/v1alpha1\nkind: FleetRepository\n"
            "sync:\n  paths: hub/\n"
        },
        [r"gitops-ocm\.yaml:4@.*sync.paths: must be a list"],
    ),
    "problems in several files": (
        {"hub/bad.yaml": "- a\n", "hub/worse.yaml": config_map("a") + "x: 1\nz: 2\n"},
        [
            r"hub/bad\.yaml:1@",
            r"hub/worse\.yaml:5@",
            r"hub/worse\.yaml:6@",
            r"has 3 problems and was not applied",
        ],
    ),
}


@dataclass(frozen=True)
class Refusal:
    """A commit, the HubSync that was to sync it, and how that ended."""

    name: str
    commit: str
    code: int
    said: str


@pytest.fixture(scope="module")
async def refusals(
    hub: Hub, unique: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Refusal]:
    """`sync --once` of every bad commit, each with a repository and a HubSync of its own."""
    names = {case: unique("bad") for case in BAD_COMMITS}
    commits, commands = {}, []
    for case, (files, _) in BAD_COMMITS.items():
        repo = Repo(tmp_path_factory.mktemp("bad") / "repo.git")
        commits[case] = repo.commit({f"hub/{names[case]}.yaml": config_map(names[case]), **files})
        commands.append(hub.command(names[case], "--repo", str(repo.path)))
    done = run_each(commands, env=hub.env)
    return {
        case: Refusal(names[case], commits[case], one.returncode, one.stdout + one.stderr)
        for case, one in zip(BAD_COMMITS, done, strict=True)
    }


@pytest.mark.parametrize("case", BAD_COMMITS)
async def test_a_bad_commit_is_refused_as_a_whole(case: str, hub: Hub, refusals: dict[str, Refusal]) -> None:
    """Every problem is told with file, line and commit; what else the commit has is not applied either."""
    done = refusals[case]
    assert done.code == 1
    assert TRACEBACK not in done.said
    for pattern in BAD_COMMITS[case][1]:
        assert re.search(pattern, done.said), done.said
    assert f"@{done.commit[:12]}" in done.said
    assert not await hub.has(done.name)
    status = (await hub.sync(done.name))["status"]
    assert status["lastAttemptedCommit"] == done.commit
    assert "lastAppliedCommit" not in status
    assert status["problems"]


UNUSABLE: list[tuple[list[str], int, str]] = [
    (["--repo", "{folder}/empty.git"], 1, r"has no commits yet: commit, or push, to it"),
    (["--repo", "{folder}"], 1, r"{folder} is not a Git repository"),
    (["--repo", "{folder}/nothere"], 1, r"there is no directory {folder}/nothere"),
    (
        ["--repo", "https://127.0.0.1:1/x.git"],
        1,
        r"cannot reach https://127.0.0.1:1/x.git: .*this is retried",
    ),
    (["--repo", "http://127.0.0.1/x.git"], 2, r"the protocol http:// is not allowed"),
    (["--repo", "ext::sh -c id"], 2, r"error: a repository's URL cannot have spaces"),
    (["--repo", "--upload-pack=id"], 2, r"cannot begin with '-'"),
    (["--repo", "https://me:pa55@127.0.0.1:1/x.git"], 2, r"has a password in it"),
    (["--repo", "{folder}/repo.git", "--branch", "nope"], 1, r"nope is not in .*\(it has main; push"),
    (["--repo", "{folder}/repo.git", "--branch", "a..b"], 2, r"Git does not accept this ref name"),
    (["--repo", "{folder}/repo.git", "--path", "nope"], 1, r"nope@.*: there is no folder nope/"),
    (["--repo", "{folder}/repo.git", "--name", "A_b"], 2, r"'A_b' cannot be the name of a HubSync"),
    ([], 2, r"there is no HubSync .* on https://127.0.0.1:\d+\n  hint: create it, or give --repo URL"),
]
"""Options, exit status, what is said."""


async def test_a_repository_that_cannot_be_followed(
    hub: Hub, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """What was typed wrong ends with 2 and leaves no HubSync; what Git cannot give is recorded, with 1."""
    folder = str(tmp_path)
    Repo(tmp_path / "empty.git")
    Repo(tmp_path / "repo.git").commit({"hub/a.yaml": config_map("a")})
    names = [unique("cannot") for _ in UNUSABLE]
    commands = [
        hub.command(name, *(option.format(folder=folder) for option in options))
        for name, (options, _, _) in zip(names, UNUSABLE, strict=True)
    ]
    made = await _syncs(hub)
    for name, row, done in zip(names, UNUSABLE, run_each(commands, env=hub.env), strict=True):
        options, status, expected = row
        said = done.stdout + done.stderr
        assert done.returncode == status, (options, said)
        assert re.search(expected.format(folder=re.escape(folder)), said), (options, said)
        assert TRACEBACK not in said
        assert "pa55" not in said
        if status == 1:
            assert (await hub.sync(name))["status"]["conditions"], options
    recorded = {name for name, (_, status, _) in zip(names, UNUSABLE, strict=True) if status == 1}
    assert await _syncs(hub) - made == recorded


async def _syncs(hub: Hub) -> set[str]:
    return {sync["metadata"]["name"] for sync in (await hub.cluster.list(SYNCS)).items}


async def test_the_guards_instruction_works(hub: Hub, unique: Callable[[str], str], tmp_path: Path) -> None:
    """A commit that empties the repository deletes nothing until exactly what the message says is done."""
    name = unique("guarded")
    repo = Repo(tmp_path / "repo.git")
    paths = [f"hub/{name}-{number}.yaml" for number in range(3)]
    repo.commit({path: config_map(Path(path).stem) for path in paths})
    assert hub.once(name, "--repo", str(repo.path))[0] == 0
    repo.commit(dict.fromkeys(paths))
    code, said = hub.once(name)
    assert code == 1
    assert re.search(r"3 of 3 objects are no longer in Git and were kept", said), said
    assert await hub.has(f"{name}-0")

    found = re.search(rf"kubectl patch hubsync {name} --type=merge -p '(\{{.*?\}})'", said)
    assert found, said
    patch: Any = json.loads(found[1])
    await hub.cluster.patch(SYNCS, "", name, patch)
    code, said = hub.once(name)
    assert code == 0, said
    assert not any([await hub.has(Path(path).stem) for path in paths])


async def test_flags_that_contradict_the_hubsync(
    hub: Hub, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """Another --repo than the HubSync's is told with both, never quietly ignored; the same one is fine."""
    name = unique("other")
    one, another = Repo(tmp_path / "one.git"), Repo(tmp_path / "another.git")
    one.commit({f"hub/{name}.yaml": config_map(name)})
    another.commit({"hub/a.yaml": config_map("a")})
    assert hub.once(name, "--repo", str(one.path), "--branch", "main")[0] == 0
    assert hub.once(name, "--repo", str(one.path))[0] == 0
    for command in ("sync --once", "diff"):
        options = ("--name", name, "--kubeconfig", str(hub.kubeconfig), "--repo", str(another.path))
        done = run(*command.split(), *options, env=hub.env)
        assert done.returncode == 2
        assert re.search(r"follows \S+one\.git \(main\), not \S+another\.git \(main\)", done.stderr)
        assert f"kubectl patch hubsync {name} --type=merge -p" in done.stderr


async def test_a_suspended_sync_says_so(hub: Hub, unique: Callable[[str], str], tmp_path: Path) -> None:
    """Suspended, a pass changes nothing and tells why; resumed, it catches up."""
    name = unique("suspended")
    repo = Repo(tmp_path / "repo.git")
    repo.commit({f"hub/{name}.yaml": config_map(name)})
    assert hub.once(name, "--repo", str(repo.path))[0] == 0
    await hub.cluster.patch(SYNCS, "", name, {"spec": {"suspend": True}})
    repo.commit({f"hub/{name}-2.yaml": config_map(f"{name}-2")})
    code, said = hub.once(name)
    assert (code, "spec.suspend is set" in said) == (0, True)
    assert not await hub.has(f"{name}-2")
    await hub.cluster.patch(SYNCS, "", name, {"spec": {"suspend": False}})
    assert hub.once(name)[0] == 0
    assert await hub.has(f"{name}-2")


async def test_a_branch_deleted_rewritten_and_pushed_again(
    hub: Hub, unique: Callable[[str], str], tmp_path: Path, eventually: Eventually
) -> None:
    """A daemon keeps what is in force while its branch is gone, and follows one that was rewritten."""
    name = unique("moved")
    repo = Repo(tmp_path / "repo.git")
    first = repo.commit({f"hub/{name}.yaml": config_map(name)})
    options = ("--name", name, "--repo", str(repo.path), "--kubeconfig", str(hub.kubeconfig))
    with Daemon("sync", *options, "--status-interval", "0.2", env=hub.env) as sync:
        await sync.said(f"{first[:12]}: 1 objects? in force")
        repo.git("update-ref", "-d", "refs/heads/main")
        await sync.said(r"error: main is not in")
        assert await hub.has(name)
        tree = repo.git("rev-parse", f"{first}^{{tree}}")
        rewritten = repo.git(
            "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit-tree", "-m", "Anew", tree
        )
        repo.git("update-ref", "refs/heads/main", rewritten)
        await sync.said(f"{rewritten[:12]}: 1 objects? in force")
        assert await hub.has(name)
        assert (await hub.sync(name))["status"]["lastAppliedCommit"] == rewritten
        assert await sync.stop() == 0
        assert TRACEBACK not in sync.output


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        ({"repository": {"ref": {"branch": "a..b"}}}, "GitInvalidRef", "does not accept this ref name"),
        ({"status": {"branch": "main"}}, "InvalidHubsync", "cannot report to the branch main"),
        ({"status": {"branch": "agents/c1"}}, "InvalidHubsync", "cannot report to the branch agents/c1"),
        ({"repository": {"url": "ext::sh"}}, "FetchFailed", "remote helpers are not allowed"),
    ],
)
async def test_a_hubsync_edited_into_nonsense_and_back(
    spec: dict[str, Any],
    reason: str,
    message: str,
    hub: Hub,
    unique: Callable[[str], str],
    tmp_path: Path,
    eventually: Eventually,
) -> None:
    """A running daemon tells what it cannot follow, does not spin, writes to no branch of a person's, and
    goes on when the HubSync is put right."""
    name = unique("edited")
    repo = Repo(tmp_path / "repo.git")
    commit = repo.commit({f"hub/{name}.yaml": config_map(name)})
    options = ("--name", name, "--repo", str(repo.path), "--kubeconfig", str(hub.kubeconfig))

    async def ready(reason: str) -> bool:
        conditions = ((await hub.sync(name)).get("status") or {}).get("conditions") or ()
        found: dict[str, str] = next((c for c in conditions if c["type"] == "Ready"), {})
        return bool(found.get("reason") == reason and (reason == "Synced" or message in found["message"]))

    with Daemon("sync", *options, "--status-interval", "0.2", env=hub.env) as sync:
        await eventually(lambda: ready("Synced"))
        good = (await hub.sync(name))["spec"]
        await hub.cluster.patch(SYNCS, "", name, {"spec": spec})
        await eventually(lambda: ready(reason))
        assert repo.git("rev-parse", "main") == commit
        restored = {"repository": {**good["repository"], "ref": None}, "status": good["status"]}
        await hub.cluster.patch(SYNCS, "", name, {"spec": restored})
        await eventually(lambda: ready("Synced"))
        assert sync.output.count(message) <= 6, sync.output
        assert await sync.stop() == 0
        assert TRACEBACK not in sync.output
    assert repo.git("rev-parse", "main") == commit


async def _create_until_refused(cluster: Cluster, kept: list[str]) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "x" * 100_000}}
    for number in range(100):
        meta = {"name": f"c{number}", "namespace": "default"}
        await cluster.create(CONFIG_MAPS, {**body, "metadata": meta})
        kept.append(meta["name"])


async def _named_c(cluster: Cluster) -> set[str]:
    found = {o["metadata"]["name"] for o in (await cluster.list(CONFIG_MAPS, "default")).items}
    return {name for name in found if name.startswith("c")}


async def test_a_full_disk_takes_nothing_half(tmp_path: Path) -> None:
    """A hub that may not write another byte says so, keeps what it had, and has it after a restart."""
    env = environment(tmp_path)
    serve = ("hub", "serve", "--data-dir", str(tmp_path / "hub"), "--controllers", "registration")
    # A limit on the size of files, of some 2 MiB, stands in for a disk of that size.
    limit = ("sh", "-c", 'ulimit -f 4096; exec "$@"', "sh")
    kept: list[str] = []
    with Daemon(*serve, env=env, prefix=limit) as full:
        await full.said("controllers run")
        cluster = HttpCluster(load_kubeconfig(tmp_path / "hub" / "kubeconfig"))
        with pytest.raises(ApiError, match=r"cannot write \S*state\.db") as refused:
            await _create_until_refused(cluster, kept)
        assert refused.value.http_code == 500
        assert kept
        assert await _named_c(cluster) == set(kept)
        await cluster.close()
        assert TRACEBACK not in full.output
        full.kill()
    with Daemon(*serve, env=env) as again:
        await again.said("controllers run")
        cluster = HttpCluster(load_kubeconfig(tmp_path / "hub" / "kubeconfig"))
        assert await _named_c(cluster) == set(kept)
        await cluster.close()
