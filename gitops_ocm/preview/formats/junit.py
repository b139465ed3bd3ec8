"""Findings as a JUnit report: what every CI system can show, at the file and line where it is written.

A test case is what is judged and by which rule (`ManagedCluster c1: cluster removed`), in the file where it
is written. No two of a file are called the same, as CI systems keep one of them only. Errors fail, warnings
are skipped with their message, rules that allow it or are overridden pass. A report without a finding has a
case that passes, as some systems refuse an empty one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gitops_ocm.preview.formats.findings import LAYOUT, POLICY, Finding, Level
from gitops_ocm.preview.formats.words import place, visible

_FIRST = "desired state"


def junit(found: Sequence[Finding], *, allowed: Sequence[str] = (), name: str = "gitops-ocm preview") -> str:
    """The report; `allowed` are the rules that have nothing against the change."""
    checks = [finding for finding in found if not finding.rule.startswith(f"{POLICY}/")]
    rules = [finding for finding in found if finding.rule.startswith(f"{POLICY}/")]
    root = Element("testsuites", {"name": name})
    suites = [_suite(root, _FIRST, checks, ["can be applied"])]
    if rules or allowed:
        suites.append(_suite(root, POLICY, rules, [visible(rule) for rule in allowed]))
    for key in ("tests", "failures", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, name: str, found: Sequence[Finding], passing: Sequence[str]) -> Element:
    failed = sum(finding.level is Level.ERROR for finding in found)
    skipped = sum(finding.level is Level.WARNING for finding in found)
    good = [] if failed and name == _FIRST else list(passing)
    numbers = {"tests": len(found) + len(good), "failures": failed, "errors": 0, "skipped": skipped}
    suite = SubElement(root, "testsuite", {"name": name, **{key: str(n) for key, n in numbers.items()}})
    for case in good:
        SubElement(suite, "testcase", {"classname": name, "name": case})
    taken: Counter[tuple[str, str]] = Counter()
    for finding in found:
        file, called = visible(finding.where.path) or LAYOUT, _name(finding)
        taken[file, called] += 1
        number = taken[file, called]
        _case(suite, finding, file, called if number == 1 else f"{called} ({number})")
    return suite


def _name(found: Finding) -> str:
    """What a case is called: without its line, which is another one with every line above it."""
    if found.rule.startswith(f"{POLICY}/"):
        return visible(found.rule.removeprefix(f"{POLICY}/"))
    return f"{found.subject}: {found.about}" if found.subject else found.about


def _case(suite: Element, found: Finding, path: str, name: str) -> None:
    where = visible(place(found.where))
    facts = {"classname": path, "name": name, "file": path}
    if found.where.line:
        facts["line"] = str(found.where.line)
    case = SubElement(suite, "testcase", facts)
    text = f"{where}: {found.message}" if where else found.message
    if found.level is Level.ERROR:
        SubElement(case, "failure", {"type": found.rule, "message": found.message}).text = text
    elif found.level is Level.WARNING:
        SubElement(case, "skipped", {"message": text})
    elif found.meant:
        SubElement(case, "system-out").text = f"{text}; meant: {found.meant}"
