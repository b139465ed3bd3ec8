"""The words of an expression, by CEL's lexical grammar."""

from __future__ import annotations

import re
from typing import NamedTuple

from gitops_ocm.objects.cel.faults import Issue

END = "<EOF>"
_ESCAPE = r"""\\(?:[abfnrtv"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"""
_STRING = (
    rf'[rR]"""[\s\S]*?"""|[rR]\'\'\'[\s\S]*?\'\'\'|"""(?:{_ESCAPE}|[^\\])*?"""|\'\'\'(?:{_ESCAPE}|[^\\])*?\'\'\''
    rf'|[rR]"[^"\n\r]*"|[rR]\'[^\'\n\r]*\'|"(?:{_ESCAPE}|[^\\"\n\r])*"|\'(?:{_ESCAPE}|[^\\\'\n\r])*\''
)
_TOKEN = re.compile(
    r"(?P<space>[\t \r\n\f]+|//[^\n]*)"
    r"|(?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<uint>0x[0-9a-fA-F]+[uU]|\d+[uU])"
    r"|(?P<int>0x[0-9a-fA-F]+|\d+)"
    rf"|(?P<bytes>[bB](?:{_STRING}))"
    rf"|(?P<string>{_STRING})"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<quoted>`[A-Za-z0-9_.\-/ ]+`)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[<>\[\]{}().,\-!?:+*/%])"
)
_KEYWORDS = frozenset({"in", "true", "false", "null"})
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_READABLE = re.compile(rf"(?:{_ESCAPE}|[^\\\n\r])*")
_ESCAPED = re.compile(r"\\([0-7]{3}|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")


class Token(NamedTuple):
    """One word: what it is (a sign or keyword is itself), its text, and where it starts."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> tuple[list[Token], list[Issue]]:
    """The words of a text, with two at its end that stand for that; what is no word is left out and told."""
    found, issues, at = [], [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            end = _unreadable(text, at)
            shown = text[at:end].replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
            issues.append(Issue(at, f"Syntax error: token recognition error at: '{shown}'"))
            at = end
            continue
        kind, word = match.lastgroup or "", match[0]
        if kind == "sign" or word in _KEYWORDS:
            kind = word
        if kind != "space":
            found.append(Token(kind, word, at))
        at = match.end()
    found += [Token(END, END, at)] * 2
    return found, issues


def _unreadable(text: str, at: int) -> int:
    """Where what begins like a word and is none ends: for text in quotes, where its line does."""
    if text[at] in "\"'":
        readable = _READABLE.match(text, at + 1)
        end = readable.end() if readable else at + 1
        return min(end + 2, len(text)) if text[end : end + 1] == "\\" else end
    return min(at + 2, len(text)) if text[at] in "=&|" else at + 1


def text_of(literal: str) -> str:
    """What a string literal says."""
    body, raw = _body(literal)
    return body if raw else _ESCAPED.sub(_character, body)


def bytes_of(literal: str) -> bytes:
    """What a bytes literal says: escapes are bytes, other characters are UTF-8."""
    body, raw = _body(literal[1:])
    if raw:
        return body.encode()
    result, end = bytearray(), 0
    for match in _ESCAPED.finditer(body):
        result += body[end : match.start()].encode()
        code = match[1]
        if code[0] in "uU":
            raise ValueError("unable to unescape string")
        result.append(ord(_character(match)))
        end = match.end()
    return bytes(result + body[end:].encode())


def _body(literal: str) -> tuple[str, bool]:
    raw = literal[0] in "rR"
    literal = literal[raw:].replace("\r\n", "\n").replace("\r", "\n")
    quotes = 3 if len(literal) >= 6 and literal[:3] in ('"""', "'''") else 1
    return literal[quotes:-quotes], raw


def _character(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return _SIMPLE.get(code, code)
    number = int(code, 8) if code[0].isdigit() else int(code[1:], 16)
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise ValueError("invalid unicode code point")
    return chr(number)
