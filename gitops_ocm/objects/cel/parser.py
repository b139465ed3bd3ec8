"""From text to tree, by CEL's grammar with optional syntax (`.?`, `[?`), macros written out.

Faults are worded as those of parsers made from the published grammar, which every Kubernetes server has.
"""

from __future__ import annotations

from gitops_ocm.objects.cel import macros
from gitops_ocm.objects.cel.faults import CompileError, Issue
from gitops_ocm.objects.cel.lexer import END, Token, bytes_of, text_of, tokens
from gitops_ocm.objects.cel.tree import Call, Entries, Entry, Items, Literal, Message, Name, Node, Select
from gitops_ocm.objects.cel.values import Uint

LONGEST, DEEPEST = 100_000, 250
TOO_DEEP = f"expression recursion limit exceeded: {DEEPEST}"
_BINARY = {
    "||": (1, "_||_"),
    "&&": (2, "_&&_"),
    **{sign: (3, f"_{sign}_") for sign in ("<", "<=", ">=", ">", "==", "!=")},
    "in": (3, "@in"),
    **{sign: (4, f"_{sign}_") for sign in ("+", "-")},
    **{sign: (5, f"_{sign}_") for sign in ("*", "/", "%")},
}
_BEGINS = ("[", "{", "(", ".", "-", "!", "true", "false", "null")
_LITERALS = ("float", "int", "uint", "string", "bytes", "word")
_OPERAND = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', "
    "NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)
_ARGUMENT = _OPERAND.replace("'(', ", "'(', ')', ")
_INDEX = _OPERAND.replace("'!', ", "'!', '?', ")
_ITEM = _INDEX.replace("'[', ", "'[', ']', ").replace("'.', ", "'.', ',', ")
_ENTRY = _INDEX.replace("'{', ", "'{', '}', ").replace("'.', ", "'.', ',', ")
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "package",
        "namespace",
        "null",
        "return",
        "true",
        "var",
        "void",
        "while",
    ]
)
_CONSTANTS = {"true": True, "false": False, "null": None}


def parse(text: str) -> Node:
    """The tree of a text; raises `CompileError`."""
    if len(text) > LONGEST:
        why = f"expression code point size exceeds limit: size: {len(text)}, limit {LONGEST}"
        raise CompileError(text, [Issue(-1, why)])
    words, issues = tokens(text)
    return _Parser(text, words, issues).whole()


class _Stop(Exception):
    """A fault after which nothing can be said about the rest."""


class _Parser:
    def __init__(self, text: str, words: list[Token], issues: list[Issue]) -> None:
        self._text, self._words, self._issues = text, words, issues
        self._next = self._depth = 0
        self._closers: list[str] = []

    def whole(self) -> Node:
        node = None
        try:
            node = self._expression()
            self._end()
        except _Stop:
            pass
        if self._issues or node is None:
            raise CompileError(self._text, self._issues)
        return node

    # --- words --------------------------------------------------------------------------------------

    @property
    def _word(self) -> Token:
        return self._words[self._next]

    def _take(self) -> Token:
        word = self._words[self._next]
        self._next += 1
        return word

    def _met(self, kind: str) -> Token | None:
        return self._take() if self._words[self._next].kind == kind else None

    def _fault(self, at: int, message: str) -> None:
        self._issues.append(Issue(at, message))

    def _stop(self, message: str) -> _Stop:
        self._fault(self._word.at, f"Syntax error: {message}")
        return _Stop()

    def _end(self) -> None:
        if self._word.kind == END:
            return
        extra = self._words[self._next + 1].kind == END
        raise self._stop(
            f"{'extraneous' if extra else 'mismatched'} input '{self._word.text}' expecting <EOF>"
        )

    def _closing(self, kind: str, wanted: str = "") -> None:
        """Takes the sign that ends a part; one word too many before it, or its absence, is told."""
        self._closers.pop()
        after = self._closers[-1] if self._closers else END
        if self._met(kind):
            return
        word, exact = self._word, not wanted
        wanted = wanted or repr(kind)
        if self._words[self._next + 1].kind == kind and word.kind != END:
            self._fault(word.at, f"Syntax error: extraneous input '{word.text}' expecting {wanted}")
            self._next += 2
        elif exact and word.kind == after:
            raise self._stop(f"missing {kind!r} at '{word.text}'")
        else:
            raise self._stop(f"mismatched input '{word.text}' expecting {wanted}")

    def _colon(self) -> None:
        if self._met(":"):
            return
        word = self._word
        if word.kind in (*_BEGINS, *_LITERALS):
            raise self._stop(f"missing ':' at '{word.text}'")
        raise self._stop(f"mismatched input '{word.text}' expecting ':'")

    # --- expressions --------------------------------------------------------------------------------

    def _expression(self, least: int = 0) -> Node:
        """What binds at least as tightly; 0 is a whole expression, with its condition."""
        self._depth += 1
        if self._depth > DEEPEST:
            self._issues[:] = [Issue(-1, TOO_DEEP)]
            raise _Stop
        left = self._operand()
        while (sign := _BINARY.get(self._word.kind)) and sign[0] > least:
            at = self._take().at
            left = Call(sign[1], None, [left, self._expression(sign[0])], at=at)
        if least == 0 and (mark := self._met("?")):
            then = self._expression(0.5)  # type: ignore[arg-type]
            self._colon()
            left = Call("_?_:_", None, [left, then, self._expression()], at=mark.at)
        self._depth -= 1
        return left

    def _operand(self) -> Node:
        """A primary with its signs in front, and its fields, calls and indexes behind."""
        ahead = self._words[self._next + 1].kind
        if (first := self._word).kind in ("!", "-") and not (first.kind == "-" and ahead in ("int", "float")):
            count = 0
            while self._met(first.kind):
                count += 1
            operand = self._member()
            name = "!_" if first.kind == "!" else "-_"
            return Call(name, None, [operand], at=first.at) if count % 2 else operand
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if dot := self._met("."):
                node = self._field(node, dot)
            elif bracket := self._met("["):
                node = self._index(node, bracket)
            else:
                return node

    def _index(self, node: Node, bracket: Token) -> Node:
        self._closers.append("]")
        optional = self._met("?")
        if not optional and self._word.kind not in (*_BEGINS, *_LITERALS):
            self._skip_extra(_INDEX)
        result = Call("_[?_]" if optional else "_[_]", None, [node, self._expression()], at=bracket.at)
        self._closing("]")
        return result

    def _field(self, node: Node, dot: Token) -> Node:
        optional = self._met("?")
        name = self._take()
        if name.kind == "quoted":
            self._fault(name.at, "unsupported syntax: '`'")
        elif name.kind != "word":
            self._next -= 1
            raise self._stop(
                f"no viable alternative at input '{'.?' if optional else '.'}{self._shown(name)}'"
            )
        if optional:
            return Call("_?._", None, [node, Literal(name.text, at=name.at)], at=dot.at)
        if opened := self._met("("):
            return self._call(name.text, node, opened.at)
        return Select(node, name.text, at=dot.at)

    @staticmethod
    def _shown(word: Token) -> str:
        return "" if word.kind == END else word.text

    def _call(self, name: str, target: Node | None, at: int) -> Node:
        args: list[Node] = []
        if self._word.kind not in (*_BEGINS, *_LITERALS, ")"):
            self._skip_extra(_ARGUMENT, ")")
        if not self._met(")"):
            self._closers.append(")")
            args.append(self._expression())
            while self._met(","):
                args.append(self._expression())
            self._closing(")")
        try:
            return macros.expanded(name, target, args, at)
        except macros.BadMacro as error:
            self._fault(error.at, error.message)
            return Call(name, target, args, at=at)

    def _skip_extra(self, wanted: str, also: str = "") -> None:
        """One word too many is left out, and told; anything else ends it."""
        following = self._words[min(self._next + 1, len(self._words) - 1)].kind
        text = self._word.text
        if self._word.kind == END or following not in (*_BEGINS, *_LITERALS, also):
            raise self._stop(f"mismatched input '{text}' expecting {wanted}")
        self._fault(self._word.at, f"Syntax error: extraneous input '{text}' expecting {wanted}")
        self._next += 1

    # --- primaries ----------------------------------------------------------------------------------

    def _primary(self) -> Node:
        word = self._word
        if word.kind not in (*_BEGINS, *_LITERALS) or word.kind == "!":
            self._skip_extra(_OPERAND)
            return self._member()
        word = self._take()
        match word.kind:
            case "(":
                self._closers.append(")")
                node = self._expression()
                self._closing(")")
                return node
            case "[":
                return self._items(word)
            case "{":
                return self._entries(word)
            case "word" | ".":
                return self._name(word)
        return self._literal(word)

    def _literal(self, word: Token) -> Node:
        at, sign = word.at, ""
        if word.kind == "-":
            sign, word = "-", self._take()
            if word.kind not in ("int", "float"):  # `!-x`: only numbers have a sign behind another operator
                self._next -= 1
                raise self._stop(f"no viable alternative at input '-{self._shown(word)}'")
        try:
            return Literal(_value(word, sign), at=at)
        except ValueError as error:
            kind = {"int": "invalid int literal", "uint": "invalid uint literal"}.get(word.kind, str(error))
            self._fault(at, kind)
            return Literal(None, at=at)

    def _name(self, word: Token) -> Node:
        dot = ""
        if word.kind == ".":
            dot, word = ".", self._take()
            if word.kind != "word":
                self._next -= 1
                raise self._stop(f"no viable alternative at input '.{self._shown(word)}'")
        if message := self._message(word):
            return message
        if word.text in _RESERVED:
            self._fault(word.at, f"reserved identifier: {word.text}")
        if opened := self._met("("):
            return self._call(dot + word.text, None, opened.at)
        return Name(dot + word.text, at=word.at)

    def _message(self, word: Token) -> Node | None:
        """`some.Type{...}`, where that is what follows."""
        ahead, name = self._next, [word.text]
        while self._words[ahead].kind == "." and self._words[ahead + 1].kind == "word":
            name.append(self._words[ahead + 1].text)
            ahead += 2
        if self._words[ahead].kind != "{":
            return None
        at = self._words[ahead].at
        self._next = ahead + 1
        self._closers.append("}")
        values = []
        while self._word.kind in ("word", "?"):
            self._met("?")
            self._take()
            self._colon()
            values.append(self._expression())
            if not self._met(","):
                break
        self._closing("}")
        return Message(".".join(name), values, at=at)

    def _goes_on(self, closing: str, comma: bool, wanted: str) -> bool:
        """Whether another part of a list or map follows; one without parts may hold a comma alone."""
        word = self._word.kind
        if word in (*_BEGINS, *_LITERALS, "?"):
            return True
        if not comma and word not in (closing, ","):
            self._skip_extra(wanted)
            return True
        if not comma:
            self._met(",")
        return False

    def _items(self, bracket: Token) -> Node:
        items: list[Node] = []
        optional, comma = set(), False
        self._closers.append("]")
        while self._goes_on("]", comma, _ITEM):
            if self._met("?"):
                optional.add(len(items))
            items.append(self._expression())
            comma = bool(self._met(","))
            if not comma:
                break
        self._closing("]", "{']', ','}" if items and not comma else "")
        return Items(items, frozenset(optional), at=bracket.at)

    def _entries(self, brace: Token) -> Node:
        entries: list[Entry] = []
        comma = False
        self._closers.append("}")
        while self._goes_on("}", comma, _ENTRY):
            optional = bool(self._met("?"))
            key = self._expression()
            self._colon()
            entries.append(Entry(key, self._expression(), optional))
            comma = bool(self._met(","))
            if not comma:
                break
        self._closing("}", "{'}', ','}" if entries and not comma else "")
        return Entries(entries, at=brace.at)


def _value(word: Token, sign: str) -> object:
    """What a literal stands for; raises ValueError."""
    match word.kind:
        case "int":
            number = int(sign + word.text, 0 if "x" in word.text else 10)
            if not -(1 << 63) <= number < 1 << 63:
                raise ValueError
            return number
        case "uint":
            digits = word.text[:-1]
            number = int(digits, 16 if "x" in digits else 10)
            if number >= 1 << 64:
                raise ValueError
            return Uint(number)
        case "float":
            return float(sign + word.text)
        case "string":
            return text_of(word.text)
        case "bytes":
            return bytes_of(word.text)
    return _CONSTANTS[word.text]
