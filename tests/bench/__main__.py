"""`make bench`: how fast and how large, as a table, measured against others on the same server.

On real control planes, started here: the first sync of a Git repository by our engine, by
`kubectl apply --server-side` and by the bare floor, interleaved, each repeat on a new server and
each contender in a process of its own; then what a resync and one changed file cost, and what the parts take.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_ocm.api.crd import crds
from gitops_ocm.testing.controlplane import ControlPlane, control_plane
from gitops_ocm.testing.programs import Programs, ensure
from tests.bench.addons import addon_rows
from tests.bench.agents import agent_rows
from tests.bench.apiserver import apiserver_rows
from tests.bench.fleet import Fleet, write_fleet
from tests.bench.joining import joining_rows
from tests.bench.measure import run_program
from tests.bench.phases import Numbers, run_phase
from tests.bench.placement import CLUSTERS as PLACED
from tests.bench.placement import alone_rows, placement_rows_on
from tests.bench.previewing import preview_rows
from tests.bench.table import Row, median, median_ratio, render

GO_MODULE = Path(__file__).parents[1] / "controlplane"
Samples = dict[str, list[Numbers]]


@dataclass(frozen=True)
class Kubectl:
    """A kubectl and how it is asked. `aim` is how much faster we want to be."""

    program: Path
    version: str
    validate: bool
    aim: float

    def __str__(self) -> str:
        return f"kubectl {self.version}{'' if self.validate else ' --validate=false'}"

    def first_sync(self, plane: ControlPlane, fleet: Fleet) -> Numbers:
        """Apply a fleet's files; the namespaces before, as for everybody."""
        connection = [f"--kubeconfig={plane.kubeconfig}", f"--cache-dir={plane.directory}/{self.version}"]
        how = ["--server-side", f"--validate={str(self.validate).lower()}", "--recursive"]
        apply = [str(self.program), "apply", *connection, *how]
        run_program([*apply, f"-f={fleet.namespaces}"])
        return run_program([*apply, f"-f={fleet.root / 'hub'}", f"-f={fleet.root / 'works'}"])


def _kubectls(programs: Programs) -> Iterator[Kubectl]:
    """The control plane's own, and the one on PATH where that is another."""
    seen = set()
    for program in (programs.kubectl, shutil.which("kubectl")):
        if program:
            asked = [str(program), "version", "--client", "--output=json"]
            answer = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
            version = json.loads(answer)["clientVersion"]["gitVersion"]
            if version not in seen:
                yield Kubectl(Path(program), version, validate=True, aim=10)
                yield Kubectl(Path(program), version, validate=False, aim=2)
            seen.add(version)


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="gitops-ocm-bench-") as name:
        directory = Path(name)
        programs = ensure(os.environ, GO_MODULE)
        rows: list[Row] = []
        if options.apiserver_objects:
            _progress("the embedded API server beside kube-apiserver")
            rows += apiserver_rows(programs, directory, options.apiserver_objects)
        if options.agents:
            _progress(f"{options.agents} registration agents at once")
            rows += agent_rows(options.agents)
            _progress("clusters let in, one after another")
            rows += joining_rows(programs, directory / "joining", options.repeats)
        if options.addons:
            _progress(f"{options.addons} add-ons on {options.addons} clusters")
            rows += addon_rows(options.addons, options.addons)
        if options.placements:
            _progress(f"{options.placements} placements")
            rows += alone_rows()
            rows += placement_rows_on(programs, directory, PLACED, options.placements)
        if options.previews:
            _progress("previews of a large fleet")
            rows += preview_rows(directory, options.previews)
        kubectls = list(_kubectls(programs))
        for size in options.sizes:
            chosen = kubectls if size <= options.kubectl_up_to else ()
            samples = _measure_syncs(programs, directory, size, options.repeats, chosen)
            rows += _sync_rows(size, samples, chosen)
        rows += _part_rows(directory, max(options.sizes))
    print(f"\n{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n")
    print(render(rows))
    if options.json:
        options.json.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1000, 5000], help="objects in the repository"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kubectl-up-to", type=int, default=1000, help="largest size kubectl is asked to do")
    parser.add_argument(
        "--apiserver-objects",
        type=int,
        default=50_000,
        help="objects that the API servers are filled with; 0 leaves them out",
    )
    parser.add_argument(
        "--agents", type=int, default=1000, help="registration agents that join at once; 0 leaves them out"
    )
    parser.add_argument(
        "--addons", type=int, default=50, help="add-ons, on as many clusters; 0 leaves them out"
    )
    parser.add_argument(
        "--placements", type=int, default=100, help="placements that are decided; 0 leaves them out"
    )
    parser.add_argument("--previews", type=int, default=3, help="repeats of previews; 0 leaves them out")
    parser.add_argument("--json", type=Path, help="write the rows here, too")
    return parser.parse_args()


def _measure_syncs(
    programs: Programs, directory: Path, size: int, repeats: int, kubectls: Sequence[Kubectl]
) -> Samples:
    """Every contender in turn; each repeat on a control plane of its own, with nothing on it before."""
    samples: Samples = {}
    contenders: list[str | Kubectl] = ["floor", "engine", *kubectls]
    for repeat in range(repeats):
        with control_plane(programs, directory / f"plane-{size}-{repeat}", manifests=crds()) as plane:
            for number, contender in enumerate(contenders):
                _progress(f"{size} objects, repeat {repeat + 1} of {repeats}: {contender}")
                tag = f"{size}-{repeat}-{number}"
                fleet = write_fleet(directory / tag, size, tag)
                numbers = _measure(contender, fleet, plane)
                samples.setdefault(str(contender), []).append(numbers)
    return samples


def _measure(contender: str | Kubectl, fleet: Fleet, plane: ControlPlane) -> Numbers:
    if isinstance(contender, Kubectl):
        return contender.first_sync(plane, fleet)
    return run_phase(contender, fleet, plane.kubeconfig, plane.pids.values())


def _sync_rows(size: int, samples: Samples, kubectls: Sequence[Kubectl]) -> list[Row]:
    floor, engine = samples["floor"], samples["engine"]
    each = f"{size:,} objects"
    writing = median_ratio([{"wall": e["write"]} for e in engine], floor, "wall")
    rows = [
        Row(f"{each}, first sync: bare requests (the floor)", median(floor, "wall"), "s"),
        Row(f"{each}, first sync: gitops-ocm, commit to applied", median(engine, "wall"), "s"),
        Row(f"{each}: gitops-ocm / floor, time", median_ratio(engine, floor, "wall"), "×", 1.15),
        Row(f"{each}: of that, from the plan to the record / floor", writing, "×"),
        Row(f"{each}: CPU of the floor", median(floor, "cpu") / size * 1e3, "ms/object"),
        Row(f"{each}: CPU of the servers meanwhile", median(floor, "server_cpu") / size * 1e3, "ms/object"),
        Row(f"{each}: CPU of gitops-ocm", median(engine, "cpu") / size * 1e3, "ms/object"),
        Row(f"{each}: CPU of the servers meanwhile", median(engine, "server_cpu") / size * 1e3, "ms/object"),
    ]
    for kubectl in kubectls:
        theirs = samples[str(kubectl)]
        rows += [
            Row(f"{each}, first sync: {kubectl}", median(theirs, "wall"), "s"),
            Row(f"{each}: CPU of {kubectl}", median(theirs, "cpu") / size * 1e3, "ms/object"),
            Row(
                f"{each}: {kubectl} / gitops-ocm, time",
                median_ratio(theirs, engine, "wall"),
                "×",
                kubectl.aim,
                at_least=True,
            ),
        ]
    rows += [
        Row(f"{each}: resync, nothing changed", median(engine, "noop_ms"), "ms", 50),
        Row(f"{each}: requests of that resync", median(engine, "noop_requests"), "", 0),
        Row(f"{each}: one changed file, commit to applied", median(engine, "change_ms"), "ms", 300),
        Row(f"{each}: memory of the daemon", median(engine, "rss_mib"), "MiB", 200),
    ]
    return rows


def _part_rows(directory: Path, size: int) -> list[Row]:
    _progress("the parts")
    fleet = write_fleet(directory / "parts", size, "parts")
    parsing = run_phase("parsing", fleet)
    tree = run_phase("tree", fleet)
    program = Path(sys.executable).with_name("gitops-ocm")
    runs = [run_program([str(program), "--help"]) for _ in range(7)]
    return [
        Row("parse one document: gitops-ocm", parsing["ours_us"], "µs"),
        Row("parse one document: ruamel.yaml, safe", parsing["ruamel_safe_us"], "µs"),
        Row("parse one document: ruamel.yaml, round trip", parsing["ruamel_round_trip_us"], "µs"),
        Row(f"{size:,} files out of Git", tree["wall"] * 1e3, "ms"),
        Row("gitops-ocm --help", median(runs, "wall") * 1e3, "ms", 150),
    ]


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
