"""The differences that are allowed, each with its reason. Anything else that differs fails its scenario.

An entry names the calls it is for, by scenario and number, and the places in their answers that may differ.
One that no longer differs in one of its calls fails too: the list is never longer than the truth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tests.differential.compare import Difference

MESSAGE = r"body\.message|body\.details\.causes(\[\d+\]\.message)?"
REFUSED = rf"status|{MESSAGE}|body\.(reason|code|details.*)"
ELSE = r"status|headers\..*|body.*"
OWNERS = r".*metadata\.managedFields.*"


class Allowed(NamedTuple):
    """The calls (none: all of them), the places in the answer as a regular expression, and the reason."""

    calls: Mapping[str, tuple[int, ...]]
    path: str
    reason: str

    def concerns(self, scenario: str, number: int) -> bool:
        """Whether the entry is for this call."""
        return not self.calls or number in self.calls.get(scenario, ())

    def covers(self, difference: Difference) -> bool:
        """Whether the difference is in one of its places."""
        return re.fullmatch(self.path, difference.path) is not None


NOT_COPIED = (
    Allowed(
        {},
        r"body(\[\d+\])?(\.object)?\.columnDefinitions\[\d+\]\.description",
        "prose about a column, which no client shows, is not copied from Kubernetes",
    ),
    Allowed({"tables and metadata": (22, 23)}, "body", "the same prose, in a Table as YAML"),
    Allowed(
        {"what is no resource": (1, 2, 17, 18)},
        r"body\.(gitVersion|gitCommit|gitTreeState|goVersion|compiler|platform)",
        "the server says truly what it is",
    ),
    Allowed({"reviews": (3,)}, r"body\.status\.userInfo\.username", "each server's administrator has a name"),
)
NOT_SERVED = (
    Allowed(
        {"discovery": (28, 31, 32)},
        r"headers\.Etag\[0\]|body\.items.*\.resources\.(clustermanagement|managedcluster)addons",
        "add-on kinds are served at both their versions, whatever their definitions say",
    ),
    Allowed({"discovery": (1,)}, r"body\.resources\.componentstatuses", "deprecated since 1.19"),
    Allowed(
        {"discovery": (27,)},
        r"headers\.Etag\[0\]|body\.items\[0\]\.versions\[0\]\.resources\.componentstatuses",
        "the same, aggregated",
    ),
    Allowed({"heads of every table": (12,)}, ELSE, "component statuses are deprecated since 1.19"),
    Allowed(
        {"what is no resource": (20, 21, 22, 23)},
        ELSE,
        "OpenAPI documents are JSON whatever is accepted; an answer without a body still names a type",
    ),
)
WORDED_BY_GO = (
    Allowed(
        {
            "wrong types": (11,),
            "update": (6,),
            "strategic merge patch": (20, 21),
            "immutable things": (7, 8),
            "field validation": (4,),
            "objects of a definition": (28,),
        },
        MESSAGE,
        "Go's names of types, its way with patches, its order of fields, a limit it cuts; keys in etcd",
    ),
    Allowed({"immutable things": (16,)}, MESSAGE, "a diff of Go structs follows the words"),
    Allowed(
        {"versions of a definition": (15,)}, MESSAGE, "versions are shown as Go structs with all their fields"
    ),
    Allowed(
        {"apply": (28,), "bodies": (29, 30, 38)},
        r"body\.message",
        "the line that a YAML error is in, which Go's parser does not always tell and sometimes miscounts",
    ),
    Allowed(
        {"bodies": (19,)},
        MESSAGE,
        "a number that no double holds is refused before it is known which field it is for",
    ),
    Allowed({"bodies": (56,)}, r"body\.message", "YAML may be nested 500 deep and no deeper"),
)
RULES = (
    Allowed(
        {"objects of a definition": (42, 59)},
        MESSAGE,
        "less is said beside a fault: that rules were not asked, that keys could not be compared",
    ),
    Allowed({"objects of a definition": (47,)}, REFUSED, "embedded metadata is judged by its schema"),
    Allowed(
        {"objects of a definition": (56,)},
        r"headers\.Warning",
        "fields are looked at only in an object of the version asked for",
    ),
)
OWNERSHIP = (
    Allowed(
        {"versions of a definition": (12, 13), "dependents": (8,)},
        OWNERS,
        "what is pruned or disowned keeps its owner",
    ),
    Allowed(
        {"leases": (6, 8, 10)},
        rf"{OWNERS}|.*\.resourceVersion",
        "a field behind a feature that is off is not even owned, so writing it changes nothing",
    ),
)
VALIDATION = (
    Allowed(
        {
            "valid pods": (219, 220, 223, 225, 227, 228),
            "valid persistentvolumeclaims": (18, 20),
            "valid persistentvolumes": (20,),
            "valid jobs": (36, 37),
        },
        MESSAGE,
        "a diff or a dump of Go structs follows the words",
    ),
    Allowed(
        {"valid persistentvolumeclaims": (16,), "valid ingresses": (32,), "valid services": (48,)},
        rf"{MESSAGE}|body\.details\.causes\[0\]\.field",
        "a value is shown as Go has it in between: an empty list, or nothing",
    ),
    Allowed(
        {"valid pods": (24, 29, 143), "valid deployments": (21,)},
        OWNERS,
        "items of a list that have one key together, or none, are owned by nobody there",
    ),
    Allowed(
        {"valid services": (0, 47, 51, 52, 54)},
        r"body\.spec\.(clusterIPs?(\[0\])?|ports\[0\]\.nodePort)",
        "each server has addresses of its own, and gives out none for a dry run",
    ),
    Allowed(
        {"valid services": (50,)},
        rf"{MESSAGE}|body\.details\.causes.*",
        "a Service that becomes an ExternalName loses its address after it is judged",
    ),
    Allowed(
        {"valid jobs": (41,)},
        r"headers\.Warning",
        "that a Job's pods stay behind is not warned of: they do not",
    ),
)
ALLOWED: tuple[Allowed, ...] = (
    *NOT_COPIED,
    *NOT_SERVED,
    *WORDED_BY_GO,
    *RULES,
    *OWNERSHIP,
    *VALIDATION,
)
