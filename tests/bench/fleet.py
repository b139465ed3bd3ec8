"""The repository that is benchmarked: N small objects in several namespaces, as YAML files in Git.

Half are ConfigMaps, half ManifestWorks around a Deployment, some 600 and 900 bytes each: the size of
what people keep in such repositories. `tag` goes into every namespace, so that each run of a phase
makes objects that are not on the hub yet.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAMESPACES = 10

LAYOUT = """\
apiVersion: config.gitops-ocm.io/v1alpha1
kind: FleetRepository
"""

NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
"""

CONFIG_MAP = """\
# Settings of one shop; owned by team {team}.
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop-{number}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: shop
    app.kubernetes.io/instance: shop-{number}
    app.kubernetes.io/part-of: retail
    team: {team}
  annotations:
    example.com/owner: {team}@example.com
    example.com/runbook: https://runbooks.example.com/shop-{number}
data:
  LOG_LEVEL: info
  DATABASE_HOST: db-{number}.internal
  DATABASE_PORT: "5432"
  CACHE_TTL: 30s
  FEATURES: "checkout,search,recommendations"
  settings.properties: |
    region=eu-{zone}
    replicas=3
    timeout.connect=500ms
    timeout.read=2s
"""

MANIFEST_WORK = """\
apiVersion: work.open-cluster-management.io/v1
kind: ManifestWork
metadata:
  name: web-{number}
  namespace: {namespace}
  labels:
    team: {team}
spec:
  workload:
    manifests:
      - apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web-{number}
          namespace: default
          labels:
            app: web-{number}
        spec:
          replicas: 2
          selector:
            matchLabels:
              app: web-{number}
          template:
            metadata:
              labels:
                app: web-{number}
            spec:
              containers:
                - name: web
                  image: registry.example.com/web:{zone}
                  ports:
                    - containerPort: 8080
                  resources:
                    requests:
                      cpu: 50m
                      memory: 64Mi
"""


@dataclass(frozen=True)
class Fleet:
    """A repository on disk. `files` are the objects' own files, without the namespaces'."""

    root: Path
    namespaces: Path
    files: list[Path]

    @property
    def objects(self) -> int:
        """How many objects it holds, namespaces included."""
        return len(self.files) + 2 * NAMESPACES

    def change(self, value: str) -> str:
        """Edit one file in the middle and commit it; the commit."""
        path = self.files[len(self.files) // 4]
        path.write_text(re.sub(r"LOG_LEVEL: \S+", f"LOG_LEVEL: {value}", path.read_text()))
        return commit(self.root, f"Log {value}")


def write_fleet(root: Path, count: int, tag: str) -> Fleet:
    """Write `count` objects and their namespaces under `root`, and commit them."""
    config_namespaces = [f"shops-{tag}-{n}" for n in range(NAMESPACES)]
    work_namespaces = [f"cluster-{tag}-{n}" for n in range(NAMESPACES)]
    files: list[Path] = []
    for number in range(count):
        is_work = number >= count // 2
        namespace = (work_namespaces if is_work else config_namespaces)[number % NAMESPACES]
        path = root / ("works" if is_work else "hub") / namespace / f"{number:05}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        template = MANIFEST_WORK if is_work else CONFIG_MAP
        fill = {"number": number, "namespace": namespace, "team": f"team-{number % 7}", "zone": number % 3}
        path.write_text(template.format(**fill))
        files.append(path)
    namespaces = root / "hub" / "namespaces.yaml"
    texts = [NAMESPACE.format(namespace=name) for name in config_namespaces + work_namespaces]
    namespaces.write_text("---\n".join(texts))
    (root / "gitops-ocm.yaml").write_text(LAYOUT)
    _git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, "Write the fleet")
    return Fleet(root, namespaces, files)


def read_fleet(root: Path) -> Fleet:
    """The fleet that `write_fleet` left at `root`."""
    namespaces = root / "hub" / "namespaces.yaml"
    files = sorted(p for folder in ("hub", "works") for p in (root / folder).glob("*/*.yaml"))
    return Fleet(root, namespaces, files)


def commit(root: Path, message: str) -> str:
    """Commit everything there is; the commit's id."""
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", f"--message={message}")
    return _git(root, "rev-parse", "HEAD").strip()


def _git(root: Path, *args: str) -> str:
    who = {"NAME": "bench", "EMAIL": "bench@example.com"}
    identity = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    clean = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", str(root), *args], env=clean | identity, check=True, capture_output=True, text=True
    )
    return done.stdout
