"""Pull requests against one small fleet, as data: what each changes in the files of `repository`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops_ocm.preview.assumptions import Assumptions

HERE = Path(__file__).parent
REPOSITORY = HERE / "repository"
Files = Mapping[str, str]


def repository() -> dict[str, str]:
    """The files of `main`."""
    paths = sorted(path for path in REPOSITORY.rglob("*") if path.is_file())
    return {path.relative_to(REPOSITORY).as_posix(): path.read_text("utf-8") for path in paths}


@dataclass(frozen=True)
class Case:
    """A pull request: `edit` makes its files of those of `main`."""

    name: str
    subject: str
    edit: Callable[[Files], Files]
    assumed: Assumptions = field(default_factory=Assumptions)


def swap(path: str, *pairs: tuple[str, str]) -> Callable[[Files], Files]:
    """Replace texts in a file; each has to be there."""

    def edit(files: Files) -> Files:
        text = files[path]
        for old, new in pairs:
            assert old in text, f"{path} has no {old!r}"
            text = text.replace(old, new)
        return {**files, path: text}

    return edit


def add(path: str, text: str) -> Callable[[Files], Files]:
    """A new file."""
    return lambda files: {**files, path: text}


def remove(*begins: str) -> Callable[[Files], Files]:
    """Files whose paths begin so are gone."""
    return lambda files: {path: text for path, text in files.items() if not path.startswith(begins)}


def rename(old: str, new: str) -> Callable[[Files], Files]:
    """A folder has another name."""
    return lambda files: {
        (new + path.removeprefix(old) if path.startswith(old) else path): text for path, text in files.items()
    }


def all_of(*edits: Callable[[Files], Files]) -> Callable[[Files], Files]:
    """One after the other."""

    def edit(files: Files) -> Files:
        for one in edits:
            files = one(files)
        return files

    return edit


_SET = """\
---
apiVersion: cluster.open-cluster-management.io/v1beta2
kind: ManagedClusterSet
metadata:
  name: us-west
spec:
  clusterSelector:
    selectorType: ExclusiveClusterSetLabel
"""
_BINDING = """\
---
apiVersion: cluster.open-cluster-management.io/v1beta2
kind: ManagedClusterSetBinding
metadata:
  name: us-west
  namespace: apps
spec:
  clusterSet: us-west
"""


def _append(path: str, text: str) -> Callable[[Files], Files]:
    return lambda files: {**files, path: files[path] + text}


def _copy(path: str, new: str, *pairs: tuple[str, str]) -> Callable[[Files], Files]:
    return lambda files: swap(new, *pairs)({**files, new: files[path]})


_WEB = swap(
    "works/web.yaml",
    ("shop/web:1.27", "shop/web:1.28"),
    ("client_max_body_size 1m", "client_max_body_size 8m"),
    ("replicas: 2", "replicas: 3"),
)
_GPU = "has(managedCluster.metadata.labels.gpu)"
_IN_US = "clusterset: us\n"

CASES = (
    Case("no-change", "Thank the canaries", add("README.md", "Thanks.\n")),
    Case(
        "label-change", "Let lab-2 serve customers", swap("clusters/lab-2.yaml", ("env: test", "env: prod"))
    ),
    Case(
        "canary-config-change",
        "Trace on the canaries",
        swap("addons/logs-configs.yaml", ("value: debug", "value: trace")),
    ),
    Case(
        "cluster-added",
        "Add eu-4",
        _copy("clusters/eu-3.yaml", "clusters/eu-4.yaml", ("name: eu-3", "name: eu-4")),
    ),
    Case("cluster-removed", "Retire us-3", remove("clusters/us-3")),
    Case(
        "canaries-promoted",
        "Treat the canaries like all others",
        all_of(
            swap("clusters/eu-1.yaml", ("    rollout: canary\n", "")),
            swap("clusters/us-1.yaml", ("    rollout: canary\n", "")),
        ),
    ),
    Case(
        "selector-renamed",
        "Call the shop by its name",
        swap("works/web.yaml", ("                app: web\n", "                app: shop\n")),
    ),
    Case(
        "cluster-set-split",
        "Split the west off",
        all_of(
            _append("hub/cluster-sets.yaml", _SET),
            _append("hub/bindings.yaml", _BINDING),
            swap("clusters/us-3.yaml", (_IN_US, "clusterset: us-west\n")),
            swap("clusters/us-4.yaml", (_IN_US, "clusterset: us-west\n")),
        ),
    ),
    Case(
        "add-on-upgrade",
        "Ship logs with 1.5",
        all_of(
            _copy(
                "addons/logs-1.yaml",
                "addons/logs-2.yaml",
                ("name: logs-1", "name: logs-2"),
                ("1.4.2", "1.5.0"),
            ),
            swap("addons/logs.yaml", ("            name: logs-1", "            name: logs-2")),
        ),
    ),
    Case("replica-set-edit", "Serve the shop with 1.28", _WEB),
    Case("rollout-stopped", "Serve the shop with 1.28", _WEB, Assumptions(failing=("us-1",))),
    Case(
        "directory-rename",
        "Call them workloads",
        all_of(rename("works/", "workloads/"), swap("gitops-ocm.yaml", ("- works/", "- workloads/"))),
    ),
    Case("mass-deletion", "Merge branch 'cleanup'", remove("works/", "addons/", "clusters/us-")),
    Case(
        "secret-rotated",
        "Rotate the gateway's key",
        swap("works/payment.yaml", ("correct-horse-battery-staple", "hunter2-hunter2-hunter2")),
    ),
    Case(
        "broken-yaml",
        "Serve the shop with 1.28",
        all_of(
            swap(
                "works/web.yaml",
                ("image: registry.example.com/shop/web:1.27", 'image: "registry.example.com/shop/web:1.28'),
            ),
            swap("works/payment.yaml", ("placementRefs:", "placementRef:")),
        ),
    ),
    Case(
        "placement-cel",
        "Train in the lab too",
        swap(
            "hub/placements.yaml",
            (
                _GPU,
                f"{_GPU} || managedCluster.metadata.labels.env == 'test'",
            ),
        ),
    ),
)
