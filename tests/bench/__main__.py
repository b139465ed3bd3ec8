"""`make bench`: how fast and how large, as a table, measured against others on the same server.

On a real control plane, started here: the first sync of a Git repository by our engine, by
`kubectl apply --server-side` and by the bare floor, interleaved, each repeat on fresh objects and
each in a process of its own; then what a resync and one changed file cost, and what the parts take.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gitops_ocm.api.crd import crds
from gitops_ocm.testing.controlplane import ControlPlane, control_plane
from gitops_ocm.testing.programs import ensure
from tests.bench.fleet import Fleet, write_fleet
from tests.bench.measure import run_program
from tests.bench.phases import Numbers, run_phase
from tests.bench.table import Row, median, median_ratio, render

GO_MODULE = Path(__file__).parents[1] / "controlplane"
Samples = dict[str, list[Numbers]]


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="gitops-ocm-bench-") as name:
        directory = Path(name)
        programs = ensure(os.environ, GO_MODULE)
        with control_plane(programs, directory / "plane", manifests=crds()) as plane:
            rows: list[Row] = []
            for size in options.sizes:
                with_kubectl = size <= options.kubectl_up_to
                samples = _measure_syncs(plane, directory / str(size), size, options.repeats, with_kubectl)
                rows += _sync_rows(size, samples)
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
    parser.add_argument("--json", type=Path, help="write the rows here, too")
    return parser.parse_args()


def _measure_syncs(
    plane: ControlPlane, directory: Path, size: int, repeats: int, with_kubectl: bool
) -> Samples:
    samples: Samples = {}
    for repeat in range(repeats):
        for contender in _contenders(with_kubectl):
            _progress(f"{size} objects, repeat {repeat + 1} of {repeats}: {contender}")
            tag = f"{size}-{repeat}-{contender[:2] if contender != 'kubectl-unvalidated' else 'un'}"
            fleet = write_fleet(directory / tag, size, tag)
            if contender.startswith("kubectl"):
                numbers = _kubectl(plane, fleet, validate=contender == "kubectl")
            else:
                numbers = run_phase(contender, fleet, plane.kubeconfig)
            samples.setdefault(contender, []).append(numbers)
    return samples


def _contenders(with_kubectl: bool) -> Iterator[str]:
    yield from ("floor", "engine")
    if with_kubectl:
        yield from ("kubectl", "kubectl-unvalidated")


def _kubectl(plane: ControlPlane, fleet: Fleet, *, validate: bool) -> Numbers:
    apply = [*plane.kubectl, "apply", "--server-side", f"--validate={str(validate).lower()}", "--recursive"]
    run_program([*apply, "-f", str(fleet.namespaces)])
    folders = [f"-f={folder}" for folder in (fleet.root / "hub", fleet.root / "works")]
    return run_program([*apply, *folders])


def _sync_rows(size: int, samples: Samples) -> list[Row]:
    floor, engine = samples["floor"], samples["engine"]
    each = f"{size:,} objects"
    rows = [
        Row(f"{each}, first sync: bare requests (the floor)", median(floor, "wall"), "s"),
        Row(f"{each}, first sync: gitops-ocm, commit to applied", median(engine, "wall"), "s"),
        Row(f"{each}: gitops-ocm / floor, time", median_ratio(engine, floor, "wall"), "×", 1.15),
        Row(f"{each}: CPU of the floor", median(floor, "cpu") / size * 1e3, "ms/object"),
        Row(f"{each}: CPU of gitops-ocm", median(engine, "cpu") / size * 1e3, "ms/object"),
    ]
    for contender, flags, aim in (("kubectl", "", 10), ("kubectl-unvalidated", " --validate=false", 2)):
        if contender in samples:
            theirs = samples[contender]
            rows += [
                Row(f"{each}, first sync: kubectl apply{flags}", median(theirs, "wall"), "s"),
                Row(f"{each}: CPU of kubectl{flags}", median(theirs, "cpu") / size * 1e3, "ms/object"),
                Row(
                    f"{each}: kubectl{flags} / gitops-ocm, time",
                    median_ratio(theirs, engine, "wall"),
                    "×",
                    aim,
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
