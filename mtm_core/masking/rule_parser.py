"""From the text of a rule to its meaning; the grammar is in `mtm_core.masking.rules`."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from mtm_core.errors import RuleError
from mtm_core.masking.rule_nodes import (
    Among,
    Both,
    Either,
    Flag,
    Negation,
    Node,
    Order,
    Value,
    printable,
)

MAX_LENGTH = 20_000
"""Longest rule, in characters (about 500 unit ids)."""
MAX_NESTING = 40
"""Deepest nesting of brackets and ``not``."""
EXAMPLE = 'region == "CA1" and rate_hz > 2'

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"[^"]*"|'[^']*')
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.*]))
    | (?P<word>[^\W\d]\w*(?![\w.*]))
    | (?P<sign>==(?!=)|!=|<=|>=|<(?!>)|>)
    | (?P<bracket>[(),])
    | (?P<end>$)
    )""",
    re.VERBOSE,
)
_SLIP = re.compile(r"\s*(?P<piece>[\w.]*\*[\w.*]*|[\w.]+|&&|\|\||<>|=[<>]|=+|.)", re.DOTALL)
_ADVICE = {
    "=": "instead of = write == to compare",
    "===": "instead of === write == to compare",
    "=>": "instead of => write >=",
    "=<": "instead of =< write <=",
    "&": "instead of & write 'and'",
    "&&": "instead of && write 'and'",
    "|": "instead of | write 'or'",
    "||": "instead of || write 'or'",
    "!": "instead of ! write 'not', or != to compare",
    "<>": "instead of <> write !=",
    ";": "a rule is one statement; join two with 'and'",
    "\N{LESS-THAN OR EQUAL TO}": "write <=",
    "\N{GREATER-THAN OR EQUAL TO}": "write >=",
    "\N{NOT EQUAL TO}": "write !=",
    **dict.fromkeys("[]{}", 'write lists in round brackets: ("CA1", "DG")'),
    **dict.fromkeys("\"'", "a closing quote is missing"),
    **dict.fromkeys(
        "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
        "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}",
        'use straight quotes: "CA1"',
    ),
}
_WORD_ADVICE = {
    "is": "instead of 'is' write == to compare",
    "equals": "instead of 'equals' write == to compare",
    "like": 'write == with a star: region == "VIS*"',
    "contains": 'write == with stars: region == "*VIS*"',
}
_CONNECTIVES = ("and", "or", "not", "in")
_TRUTHS = {"true": True, "True": True, "false": False, "False": False}
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class _Token(NamedTuple):
    kind: str
    text: str


def parse(text: str) -> Node:
    """Read a rule.

    Raises
    ------
    RuleError
        If the text is not a rule; the message says where and how to mend it.
    """
    if len(text) > MAX_LENGTH:
        msg = f"The rule has {len(text)} characters; the longest may have {MAX_LENGTH}."
        raise RuleError(msg)
    if not text.strip():
        msg = f"The rule is empty. Write one such as {EXAMPLE}."
        raise RuleError(msg)
    return _Parser(text).whole()


class _Parser:
    """Recursive descent: either > both > negation > statement."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split()
        self.position = 0
        self.nesting = 0

    def whole(self) -> Node:
        node = self._either()
        if self._next.kind != "end":
            raise self._wrong_next("expected 'and', 'or' or the end")
        return node

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        position = 0
        while not tokens or tokens[-1].kind != "end":
            found = _TOKEN.match(self.text, position)
            if found is None:
                raise self._wrong_slip(position, tokens)
            kind = found.lastgroup or ""
            tokens.append(_Token(kind, found.group(kind)))
            position = found.end()
        return tokens

    @property
    def _next(self) -> _Token:
        return self.tokens[self.position]

    def _take(self) -> _Token:
        token = self._next
        self.position += 1
        return token

    def _takes(self, *texts: str) -> bool:
        """Go past the next token if it is one of these words or signs."""
        is_wanted = self._next.kind != "text" and self._next.text in texts
        self.position += is_wanted
        return is_wanted

    def _deeper(self) -> None:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self._wrong(f"its brackets and 'not' are nested more than {MAX_NESTING} deep")

    def _either(self) -> Node:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Node:
        parts = [self._negation()]
        while self._takes("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _negation(self) -> Node:
        if not self._takes("not"):
            return self._statement()
        self._deeper()
        inner = self._negation()
        self.nesting -= 1
        return Negation(inner)

    def _statement(self) -> Node:
        if self._takes("("):
            self._deeper()
            node = self._either()
            if not self._takes(")"):
                raise self._wrong_next("expected a closing bracket")
            self.nesting -= 1
            return node
        if self._next.kind in ("text", "number"):
            return self._value_first()
        return self._about(self._field())

    def _field(self) -> str:
        token = self._next
        if token.kind != "word" or token.text.lower() in (*_CONNECTIVES, "true", "false"):
            raise self._wrong_next("expected the name of a field, such as region")
        return self._take().text

    def _about(self, field: str) -> Node:
        """Read what is said about a field that was just named."""
        if self._next.kind == "sign":
            sign = self._take().text
            return self._compare(field, sign, self._value(field, sign))
        if self._takes("in"):
            return Among(field, self._values(field, "in"))
        if self._takes("not"):
            if not self._takes("in"):
                raise self._wrong_next("after 'not' here expected 'in'")
            return Among(field, self._values(field, "not in"), is_negated=True)
        if self._next.kind in ("end", "bracket") or self._next.text in _CONNECTIVES:
            return Flag(field)
        raise self._wrong_next(f"after '{printable(field)}' expected a comparison such as ==")

    def _value_first(self) -> Node:
        """Read ``5 < rate_hz`` and ``500 < depth_um <= 1200``."""
        value = self._literal()
        if self._next.kind != "sign":
            raise self._wrong_next("a value must be compared with a field")
        first_sign = _MIRROR[self._take().text]
        field = self._field()
        first = self._compare(field, first_sign, value)
        if self._next.kind != "sign":
            return first
        sign = self._take().text
        return Both((first, self._compare(field, sign, self._value(field, sign))))

    def _compare(self, field: str, sign: str, value: Value) -> Node:
        if sign in ("==", "!="):
            return Among(field, (value,), is_negated=sign == "!=")
        if isinstance(value, str | bool):
            raise self._wrong(
                f"'{sign}' compares numbers; for '{printable(str(value))}' use == or !="
            )
        return Order(field, sign, value)

    def _values(self, field: str, sign: str) -> tuple[Value, ...]:
        if not self._takes("("):
            return (self._value(field, sign),)
        values = [self._value(field, f"{sign} (")]
        while self._takes(","):
            if self._next.text == ")" and self._next.kind == "bracket":
                break
            values.append(self._value(field, f"{sign} ("))
        if not self._takes(")"):
            raise self._wrong_next("expected a comma or a closing bracket")
        return tuple(values)

    def _value(self, field: str, sign: str) -> Value:
        token = self._next
        if token.kind == "word" and token.text in _TRUTHS:
            return _TRUTHS[self._take().text]
        if token.kind == "word" and token.text not in _CONNECTIVES:
            word = printable(token.text)
            raise self._wrong(f'put quotes around names: {printable(field)} {sign} "{word}"')
        return self._literal()

    def _literal(self) -> Value:
        token = self._next
        if token.kind == "text":
            return self._take().text[1:-1]
        if token.kind != "number":
            raise self._wrong_next('expected a value, such as 2.5 or "CA1"')
        number = float(self._take().text)
        if not math.isfinite(number):
            raise self._wrong(f"the number {printable(token.text)} is too large")
        return number

    def _wrong(self, what: str) -> RuleError:
        return RuleError(
            f"This is not a rule: {printable(self.text, 80)} ({what}). Example: {EXAMPLE}"
        )

    def _wrong_next(self, what: str) -> RuleError:
        token = self._next
        if token.kind == "end":
            return self._wrong(f"it ends too early: {what}")
        advice = _WORD_ADVICE.get(token.text) if token.kind == "word" else None
        if (
            token.kind == "word"
            and token.text not in _CONNECTIVES
            and token.text.lower() in _CONNECTIVES
        ):
            advice = f"write '{token.text.lower()}' in small letters"
        return self._wrong(advice or f"at '{printable(token.text)}': {what}")

    def _wrong_slip(self, position: int, tokens: list[_Token]) -> RuleError:
        """Explain text that is no token at all."""
        found = _SLIP.match(self.text, position)
        piece = found["piece"] if found else self.text[position:]
        shown = printable(piece)
        if piece in _ADVICE:
            return self._wrong(_ADVICE[piece])
        if "*" in piece:
            return self._wrong(f'put quotes around names with a star: "{shown}"')
        if piece[:1].isdigit():
            return self._wrong(f"'{shown}' is no number; if it is a name, write \"{shown}\"")
        if (
            len(tokens) > 1
            and tokens[-1].kind == "word"
            and tokens[-2].kind in ("sign", "bracket")
        ):
            return self._wrong(f"put quotes around names with '{shown}' in them")
        return self._wrong(f"'{shown}' has no meaning here")
