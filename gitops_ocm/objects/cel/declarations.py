"""Which functions there are, with which types: those a Kubernetes 1.35 server lets new rules use.

One line an overload: the function, the overload's name, what it takes and gives. `T.(...)` is called on a
value. What each does is `functions`, by the overload's name. Lines of one function are tried in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from gitops_ocm.objects.cel import types
from gitops_ocm.objects.cel.types import Type

_ORDERED = (
    "bool",
    "int",
    "int double",
    "int uint",
    "uint",
    "uint double",
    "uint int",
    "double",
    "double int",
)
_ORDERED_MORE = ("double uint", "string", "bytes", "timestamp", "duration")
_COMPARABLE = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
_GETTERS = {
    "getFullYear": "",
    "getMonth": "",
    "getDayOfYear": "",
    "getDayOfMonth": "",
    "getDate": "",
    "getDayOfWeek": "",
    "getHours": "duration",
    "getMinutes": "duration",
    "getSeconds": "duration",
    "getMilliseconds": "duration",
}
FORMATS = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
]

_LANGUAGE = """
_?_:_ conditional (bool, A, A) A
_&&_ logical_and (bool, bool) bool
_||_ logical_or (bool, bool) bool
!_ logical_not (bool) bool
@not_strictly_false not_strictly_false (bool) bool
_==_ equals (A, A) bool
_!=_ not_equals (A, A) bool
_+_ add_bytes (bytes, bytes) bytes
_+_ add_double (double, double) double
_+_ add_duration_duration (duration, duration) duration
_+_ add_duration_timestamp (duration, timestamp) timestamp
_+_ add_timestamp_duration (timestamp, duration) timestamp
_+_ add_int64 (int, int) int
_+_ add_list (list(A), list(A)) list(A)
_+_ add_string (string, string) string
_+_ add_uint64 (uint, uint) uint
_/_ divide_double (double, double) double
_/_ divide_int64 (int, int) int
_/_ divide_uint64 (uint, uint) uint
_%_ modulo_int64 (int, int) int
_%_ modulo_uint64 (uint, uint) uint
_*_ multiply_double (double, double) double
_*_ multiply_int64 (int, int) int
_*_ multiply_uint64 (uint, uint) uint
-_ negate_double (double) double
-_ negate_int64 (int) int
_-_ subtract_double (double, double) double
_-_ subtract_duration_duration (duration, duration) duration
_-_ subtract_int64 (int, int) int
_-_ subtract_timestamp_duration (timestamp, duration) timestamp
_-_ subtract_timestamp_timestamp (timestamp, timestamp) duration
_-_ subtract_uint64 (uint, uint) uint
_[_] index_list (list(A), int) A
_[_] index_map (map(A, B), A) B
_[_] optional_list_index_int (optional(list(V)), int) optional(V)
_[_] optional_map_index_value (optional(map(K, V)), K) optional(V)
_[?_] list_optindex_optional_int (list(V), int) optional(V)
_[?_] optional_list_optindex_optional_int (optional(list(V)), int) optional(V)
_[?_] map_optindex_optional_value (map(K, V), K) optional(V)
_[?_] optional_map_optindex_optional_value (optional(map(K, V)), K) optional(V)
@in in_list (A, list(A)) bool
@in in_map (A, map(A, B)) bool
size size_bytes (bytes) int
size bytes_size bytes.() int
size size_list (list(A)) int
size list_size list(A).() int
size size_map (map(A, B)) int
size map_size map(A, B).() int
size size_string (string) int
size string_size string.() int
type type (A) type(A)
bool bool_to_bool (bool) bool
bool string_to_bool (string) bool
bytes bytes_to_bytes (bytes) bytes
bytes string_to_bytes (string) bytes
double double_to_double (double) double
double int64_to_double (int) double
double string_to_double (string) double
double uint64_to_double (uint) double
duration duration_to_duration (duration) duration
duration int64_to_duration (int) duration
duration string_to_duration (string) duration
dyn to_dyn (A) dyn
int int64_to_int64 (int) int
int double_to_int64 (double) int
int duration_to_int64 (duration) int
int string_to_int64 (string) int
int timestamp_to_int64 (timestamp) int
int uint64_to_int64 (uint) int
string string_to_string (string) string
string bool_to_string (bool) string
string bytes_to_string (bytes) string
string double_to_string (double) string
string duration_to_string (duration) string
string int64_to_string (int) string
string timestamp_to_string (timestamp) string
string uint64_to_string (uint) string
timestamp timestamp_to_timestamp (timestamp) timestamp
timestamp int64_to_timestamp (int) timestamp
timestamp string_to_timestamp (string) timestamp
uint uint64_to_uint64 (uint) uint
uint double_to_uint64 (double) uint
uint int64_to_uint64 (int) uint
uint string_to_uint64 (string) uint
contains contains_string string.(string) bool
endsWith ends_with_string string.(string) bool
startsWith starts_with_string string.(string) bool
matches matches (string, string) bool
matches matches_string string.(string) bool
"""
_KUBERNETES = """
indexOf list_a_index_of_int list(A).(A) int
lastIndexOf list_a_last_index_of_int list(A).(A) int
find string_find_string string.(string) string
findAll string_find_all_string string.(string) list(string)
findAll string_find_all_string_int string.(string, int) list(string)
url string_to_url (string) url
getScheme url_get_scheme url.() string
getHost url_get_host url.() string
getHostname url_get_hostname url.() string
getPort url_get_port url.() string
getEscapedPath url_get_escaped_path url.() string
getQuery url_get_query url.() map(string, list(string))
isURL is_url_string (string) bool
quantity string_to_quantity (string) quantity
isQuantity is_quantity_string (string) bool
sign quantity_sign (quantity) int
isGreaterThan quantity_is_greater_than quantity.(quantity) bool
isLessThan quantity_is_less_than quantity.(quantity) bool
compareTo quantity_compare_to quantity.(quantity) int
asApproximateFloat quantity_get_float quantity.() double
asInteger quantity_get_int quantity.() int
isInteger quantity_is_integer quantity.() bool
add quantity_add quantity.(quantity) quantity
add quantity_add_int quantity.(int) quantity
sub quantity_sub quantity.(quantity) quantity
sub quantity_sub_int quantity.(int) quantity
ip string_to_ip (string) ip
ip cidr_ip cidr.() ip
isIP is_ip (string) bool
ip.isCanonical ip_is_canonical (string) bool
family ip_family ip.() int
isUnspecified ip_is_unspecified ip.() bool
isLoopback ip_is_loopback ip.() bool
isLinkLocalMulticast ip_is_link_local_multicast ip.() bool
isLinkLocalUnicast ip_is_link_local_unicast ip.() bool
isGlobalUnicast ip_is_global_unicast ip.() bool
string ip_to_string (ip) string
cidr string_to_cidr (string) cidr
isCIDR is_cidr (string) bool
containsIP cidr_contains_ip_string cidr.(string) bool
containsIP cidr_contains_ip_ip cidr.(ip) bool
containsCIDR cidr_contains_cidr_string cidr.(string) bool
containsCIDR cidr_contains_cidr cidr.(cidr) bool
prefixLength cidr_prefix_length cidr.() int
masked cidr_masked cidr.() cidr
string cidr_to_string (cidr) string
validate format-validate format.(string) optional(list(string))
format.named format-named (string) optional(format)
semver string_to_semver (string) semver
semver string_bool_to_semver (string, bool) semver
isSemver is_semver_string (string) bool
isSemver is_semver_string_bool (string, bool) bool
isGreaterThan semver_is_greater_than semver.(semver) bool
isLessThan semver_is_less_than semver.(semver) bool
compareTo semver_compare_to semver.(semver) int
major semver_major semver.() int
minor semver_minor semver.() int
patch semver_patch semver.() int
"""
_EXTENSIONS = """
optional.of optional_of (V) optional(V)
optional.ofNonZeroValue optional_ofNonZeroValue (V) optional(V)
optional.none optional_none () optional(V)
optional.unwrap optional_unwrap (list(optional(V))) list(V)
unwrapOpt optional_unwrapOpt list(optional(V)).() list(V)
value optional_value optional(V).() V
hasValue optional_hasValue optional(V).() bool
or optional_or_optional optional(V).(optional(V)) optional(V)
orValue optional_orValue_value optional(V).(V) V
last list_last list(V).() optional(V)
first list_first list(V).() optional(V)
charAt string_char_at_int string.(int) string
indexOf string_index_of_string string.(string) int
indexOf string_index_of_string_int string.(string, int) int
lastIndexOf string_last_index_of_string string.(string) int
lastIndexOf string_last_index_of_string_int string.(string, int) int
lowerAscii string_lower_ascii string.() string
replace string_replace_string_string string.(string, string) string
replace string_replace_string_string_int string.(string, string, int) string
split string_split_string string.(string) list(string)
split string_split_string_int string.(string, int) list(string)
substring string_substring_int string.(int) string
substring string_substring_int_int string.(int, int) string
trim string_trim string.() string
upperAscii string_upper_ascii string.() string
format string_format string.(list(dyn)) string
strings.quote strings_quote (string) string
join list_join list(string).() string
join list_join_string list(string).(string) string
sets.contains list_sets_contains_list (list(T), list(T)) bool
sets.equivalent list_sets_equivalent_list (list(T), list(T)) bool
sets.intersects list_sets_intersects_list (list(T), list(T)) bool
slice list_slice list(T).(int, int) list(T)
flatten list_flatten list(list(T)).() list(T)
flatten list_flatten_int list(dyn).(int) list(dyn)
lists.range lists_range (int) list(int)
reverse list_reverse list(T).() list(T)
distinct list_distinct list(T).() list(T)
cel.@mapInsert @mapInsert_map_key_value (map(K, V), K, V) map(K, V)
cel.@mapInsert @mapInsert_map_map (map(K, V), map(K, V)) map(K, V)
"""


class Overload(NamedTuple):
    """One way to call a function."""

    function: str
    name: str
    member: bool
    takes: tuple[Type, ...]
    gives: Type
    generic: bool


Functions = Mapping[str, tuple[Overload, ...]]
_NAMED: Mapping[str, Type] = {
    **{
        t.kind: t
        for t in (types.BOOL, types.INT, types.UINT, types.DOUBLE, types.STRING, types.BYTES, types.DYN)
    },
    "timestamp": types.TIMESTAMP,
    "duration": types.DURATION,
    "quantity": types.QUANTITY,
    "url": types.URL,
    "semver": types.SEMVER,
    "format": types.FORMAT,
    "ip": types.IP,
    "cidr": types.CIDR,
}
_WORD = re.compile(r"\w+|[(),.]")


@cache
def kubernetes() -> Functions:
    """All functions, by name."""
    lines = [
        *_lines(_LANGUAGE),
        *_comparisons(),
        *_getters(),
        *_lists(),
        *_lines(_KUBERNETES),
        *_lines(_EXTENSIONS),
    ]
    lines += [f"format.{name} format.{name} () format" for name in FORMATS]
    return declared(lines)


def declared(lines: Iterable[str]) -> Functions:
    """The functions that lines like those above declare."""
    found: dict[str, list[Overload]] = {}
    for line in lines:
        overload = _overload(line)
        found.setdefault(overload.function, []).append(overload)
    return {name: tuple(overloads) for name, overloads in found.items()}


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()


def _comparisons() -> Iterator[str]:
    for sign, word in (("<", "less"), ("<=", "less_equals"), (">", "greater"), (">=", "greater_equals")):
        for pair in (*_ORDERED, *_ORDERED_MORE):
            left, right = (pair.split() * 2)[:2]
            yield f"_{sign}_ {word}_{pair.replace(' ', '_')} ({left}, {right}) bool"


def _getters() -> Iterator[str]:
    for name, also in _GETTERS.items():
        yield f"{name} timestamp_{name} timestamp.() int"
        yield f"{name} timestamp_{name}_with_tz timestamp.(string) int"
        if also:
            yield f"{name} {also}_{name} {also}.() int"


def _lists() -> Iterator[str]:
    for item in _COMPARABLE:
        yield f"isSorted list_{item}_is_sorted_bool list({item}).() bool"
        yield f"max list_{item}_max_{item} list({item}).() {item}"
        yield f"min list_{item}_min_{item} list({item}).() {item}"
        yield f"sort list_{item}_sort list({item}).() list({item})"
        yield f"@sortByAssociatedKeys list_{item}_sortByAssociatedKeys list(T).(list({item})) list(T)"
        if item in ("int", "uint", "double", "duration"):
            yield f"sum list_{item}_sum_{item} list({item}).() {item}"


def _overload(line: str) -> Overload:
    function, name, signature = line.split(" ", 2)
    words = _WORD.findall(signature)
    takes: list[Type] = []
    member = words[0] != "("
    if member:
        takes.append(_type(words))
        words.pop(0)
    words.pop(0)
    while words[0] != ")":
        takes.append(_type(words))
        if words[0] == ",":
            words.pop(0)
    words.pop(0)
    gives = _type(words)
    return Overload(function, name, member, tuple(takes), gives, any(map(_generic, (*takes, gives))))


def _type(words: list[str]) -> Type:
    word = words.pop(0)
    if len(word) == 1:
        return types.variable(word)
    params = []
    if word in ("list", "map", "optional", "type"):
        while words[0] != ")":
            words.pop(0)
            params.append(_type(words))
        words.pop(0)
    match word:
        case "list":
            return types.list_of(params[0])
        case "map":
            return types.map_of(params[0], params[1])
        case "optional":
            return types.optional_of(params[0])
        case "type":
            return types.type_of(params[0])
    return _NAMED[word]


def _generic(type_: Type) -> bool:
    return type_.kind == "variable" or any(map(_generic, type_.params))
