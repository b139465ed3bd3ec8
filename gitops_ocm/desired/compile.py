"""From a commit's tree to the objects it wants: the front door of `desired`.

    state = compile_tree(tree, catalog, cache=cache)
    if state.ok: ... state.objects

The whole commit is judged before anything is applied, and every problem is listed with file and
line. Compiling the next commit with the same `cache` costs what changed: an object whose file did
not change keeps its `Wanted`, origin included, so an origin names the commit in which this cache
first saw that content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_ocm.desired import documents, placements, rollouts, templates
from gitops_ocm.desired.cache import BlobCache, FileResult, LayoutResult
from gitops_ocm.desired.documents import Document, Parsed
from gitops_ocm.desired.fields import Finding
from gitops_ocm.desired.layout import DEFAULT, FILE_NAME, Layout, read_layout
from gitops_ocm.desired.policy_checks import unknown_kinds
from gitops_ocm.desired.selection import Chooser, ignore_files, select
from gitops_ocm.desired.tree import Entry, Tree
from gitops_ocm.desired.validate import object_findings, wave_of
from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.plan.wanted import Wanted


@dataclass(frozen=True)
class DesiredState:
    """What a commit wants: objects sorted by `Ref`, and every problem found, sorted by place.

    `tree` is where it was written.
    """

    commit: str
    objects: tuple[Wanted, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    layout: Layout = DEFAULT
    tree: Tree | None = field(default=None, compare=False, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the commit may be applied: warnings do not stop it."""
        return all(d.severity is not Severity.ERROR for d in self.diagnostics)


def compile_tree(
    tree: Tree, catalog: Catalog, *, cache: BlobCache | None = None, path: str = "."
) -> DesiredState:
    """Compile the part of a tree under `path`. `catalog` says which kinds the hub serves."""
    cache = cache if cache is not None else BlobCache()
    prefix = _prefix(path)
    layout = _layout(tree, prefix, cache)
    chosen = select(tree, layout.chooser)
    results = _results(tree, chosen.files, cache)
    known = _extended(catalog, results, cache)
    diagnostics = [*layout.diagnostics, *chosen.diagnostics]
    if prefix and not any(p.startswith(prefix) for p in tree.entries):
        why = f"there is no folder {prefix} in this commit"
        hint = "correct spec.repository.path of the HubSync, or bring the folder back"
        where = Location(prefix.rstrip("/"), 0, tree.commit)
        diagnostics.append(Diagnostic("no-such-path", why, where, hint=hint))
    _judge(tree, [result for result in results if result.judged_by is not known], known, cache)
    diagnostics += (problem for result in results for problem in result.diagnostics)
    objects = _sorted(results, cache)
    diagnostics += _duplicates(objects)
    diagnostics += _references(tree, results, objects)
    diagnostics += _unbound_sets(tree, results, objects)
    diagnostics += _unset_variables(tree, results, objects)
    diagnostics += unknown_kinds(layout.layout.policy, known)
    diagnostics.sort(key=lambda d: (d.where.path, d.where.line, d.where.column, d.code, d.message))
    return DesiredState(tree.commit, objects, tuple(diagnostics), layout.layout, tree)


def _prefix(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join(parts) + "/" if parts else ""


def _layout(tree: Tree, prefix: str, cache: BlobCache) -> LayoutResult:
    """The layout in force, made anew only if its files or the `path` changed."""
    where = prefix + FILE_NAME
    entry = tree.entries.get(where)
    ignores = ignore_files(tree.entries, prefix)
    key = (prefix, entry, tuple((p, e.blob) for p, e in ignores.items()))
    if cache.layout is None or cache.layout.key != key:
        layout, problems = _read_layout(tree, where, entry)
        rules = dict(zip(ignores, (tree.read(p) for p in ignores), strict=True))
        cache.layout = LayoutResult(key, layout, Chooser(prefix, layout, rules), problems)
    return cache.layout


def _read_layout(tree: Tree, where: str, entry: Entry | None) -> tuple[Layout, tuple[Diagnostic, ...]]:
    if entry is None:
        return DEFAULT, ()
    if not entry.is_file:
        return DEFAULT, (
            Diagnostic("layout-invalid", f"{where} must be a file", Location(where, 0, tree.commit)),
        )
    return read_layout(tree.read(where), where, tree.commit)


def _results(tree: Tree, files: Mapping[str, Entry], cache: BlobCache) -> list[FileResult]:
    """One result per file; only new content is read."""
    before = cache.files
    missing = [
        (path, entry)
        for path, entry in files.items()
        if (known := before.get(path)) is None or known.entry.blob != entry.blob
    ]
    if missing or len(files) != len(before):
        parsed = cache.parsed(tree, (entry for _, entry in missing))
        fresh = {path: _file(path, entry, parsed[entry.blob], tree.commit) for path, entry in missing}
        cache.files = {path: fresh.get(path) or before[path] for path in files}
    return list(cache.files.values())


def _file(path: str, entry: Entry, parsed: Parsed, commit: str) -> FileResult:
    wanted = tuple(
        Wanted(ref_of(d.value), d.value, digest(d.value), wave_of(d.value), Location(path, d.line, commit))
        for d in parsed.documents
        if _has_identity(d.value)
    )
    crds = tuple(w for w in wanted if w.ref.of == ("apiextensions.k8s.io", "CustomResourceDefinition"))
    return FileResult(path, entry, parsed, wanted, commit, crds=crds)


_TEXT, _MAPPING = (str, type(None)), (dict, type(None))


def _has_identity(obj: Mapping[str, object]) -> bool:
    meta = obj.get("metadata")
    return (
        isinstance(obj.get("apiVersion"), str)
        and isinstance(obj.get("kind"), str)
        and isinstance(meta, dict)
        and isinstance(meta.get("name"), str)
        and isinstance(meta.get("namespace"), _TEXT)
        and isinstance(meta.get("annotations"), _MAPPING)
    )


def _extended(catalog: Catalog, results: list[FileResult], cache: BlobCache) -> Catalog:
    """The catalog with the kinds that this commit's own CRDs define."""
    crds = [crd for result in results for crd in result.crds]
    digests = tuple(crd.digest for crd in crds)
    known = cache.extended
    if known is None or known[0] is not catalog or known[1] != digests:
        extended = catalog
        for crd in crds:
            if not any(f.severity is Severity.ERROR for f in object_findings(crd.obj, catalog)):
                extended = extended.with_crd(crd.obj)
        cache.extended = known = (catalog, digests, extended)
    return known[2]


def _judge(tree: Tree, results: Sequence[FileResult], catalog: Catalog, cache: BlobCache) -> None:
    """Find the problems of each file; what is known to have none under the same kinds is not looked at."""
    own = cache.extended[1] if cache.extended else ()
    kinds = digest(own).encode()
    blobs = [result.entry.blob for result in results]
    known = cache.verdicts.get_many(blobs) if cache.verdicts is not None and blobs else {}
    fresh = {}
    for result in results:
        if known.get(result.entry.blob) == kinds:
            result.diagnostics = ()
        else:
            result.diagnostics = tuple(_judged(tree, result, catalog))
            if not result.diagnostics:
                fresh[result.entry.blob] = kinds
        result.judged_by = catalog
    if cache.verdicts is not None and fresh:
        cache.verdicts.put_many(fresh)


def _judged(tree: Tree, result: FileResult, catalog: Catalog) -> Iterable[Diagnostic]:
    """A file's problems: what could not be read, then what each of its objects got wrong."""
    commit = result.commit
    for p in result.parsed.problems:
        yield Diagnostic(p.code, p.message, Location(result.path, p.line, commit, p.column), hint=p.hint)
    found = [(document, object_findings(document.value, catalog)) for document in result.parsed.documents]
    yield from _located(tree, result, found)


def _references(tree: Tree, results: Iterable[FileResult], objects: Iterable[Wanted]) -> Iterable[Diagnostic]:
    """What objects refer to in vain, as far as this commit alone can tell."""
    known: dict[Kind, dict[tuple[str, str], Object]] = {}
    for wanted in objects:
        if wanted.ref.of in rollouts.REFERRED_TO:
            known.setdefault(wanted.ref.of, {})[wanted.ref.namespace, wanted.ref.name] = wanted.obj
    for result in results:
        if any(rollouts.rolls_out(w.ref.group, w.ref.kind) for w in result.wanted):
            referring = [d for d in result.parsed.documents if _rolls_out(d)]
            found = [(d, list(rollouts.reference_findings(d.value, known))) for d in referring]
            yield from _located(tree, result, found)


def _unbound_sets(
    tree: Tree, results: Iterable[FileResult], objects: Iterable[Wanted]
) -> Iterable[Diagnostic]:
    """Cluster sets that placements choose from and that nothing in this commit binds for them."""
    bindings = {(w.ref.namespace, w.ref.name) for w in objects if w.ref.of == placements.BINDING}
    kind = (placements.GROUP, placements.KIND)
    for result in results if bindings else ():
        if any(w.ref.of == kind for w in result.wanted):
            named = [d for d in result.parsed.documents if _has_identity(d.value)]
            chosen = [d for d in named if ref_of(d.value).of == kind]
            found = [(d, list(placements.binding_findings(d.value, bindings))) for d in chosen]
            yield from _located(tree, result, found)


def _unset_variables(
    tree: Tree, results: Iterable[FileResult], objects: Iterable[Wanted]
) -> Iterable[Diagnostic]:
    """Variables of AddOnTemplates that none of this commit's configurations gives a value."""
    template = (templates.GROUP, templates.KIND)
    holding = [result for result in results if any(w.ref.of == template for w in result.wanted)]
    if not holding:
        return
    configs = [w.obj for w in objects if w.ref.of == (templates.GROUP, templates.CONFIG_KIND)]
    given = {name for config in configs for name in templates.names_given(config)}
    for result in holding:
        made = [d for d in result.parsed.documents if d.value.get("kind") == templates.KIND]
        found = [(d, list(templates.unset_findings(d.value, given))) for d in made]
        yield from _located(tree, result, found)


def _rolls_out(document: Document) -> bool:
    if not _has_identity(document.value):
        return False
    ref = ref_of(document.value)
    return rollouts.rolls_out(ref.group, ref.kind)


def _located(
    tree: Tree, result: FileResult, found: Iterable[tuple[Document, Sequence[Finding]]]
) -> Iterable[Diagnostic]:
    """Findings of a file's documents with their places."""
    data: bytes | None = None
    for document, findings in found:
        if findings and data is None:
            ((_, data),) = tree.read_blobs([result.entry.blob])
        for finding in findings:
            assert data is not None
            line, column = documents.locate(data, document, finding.path)
            yield Diagnostic(
                finding.code,
                finding.message,
                Location(result.path, line, result.commit, column),
                subject=_subject(document),
                hint=finding.hint,
                severity=finding.severity,
            )


def _subject(document: Document) -> str:
    if _has_identity(document.value):
        return str(ref_of(document.value))
    kind = document.value.get("kind")
    return kind if isinstance(kind, str) else ""


def _sorted(results: list[FileResult], cache: BlobCache) -> tuple[Wanted, ...]:
    if cache.sorted is None or cache.sorted[0] != results:
        objects = sorted((w for result in results for w in result.wanted), key=lambda w: (w.ref, w.origin))
        cache.sorted = (results, tuple(objects))
    return cache.sorted[1]


def _duplicates(objects: tuple[Wanted, ...]) -> Iterable[Diagnostic]:
    """One diagnostic per object that is written in more than one place, at each later place."""
    first: dict[Ref, Wanted] = {}
    for wanted in objects:
        known = first.setdefault(wanted.ref, wanted)
        if known is not wanted:
            there = replace(known.origin, commit="")
            yield Diagnostic(
                "duplicate-object",
                f"the same object is also written in {there}",
                wanted.origin,
                subject=str(wanted.ref),
                hint="keep one of them",
            )
