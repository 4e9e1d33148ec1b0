"""Conditions of rules as people write them, read into forms of the ledger's condition language.

    condition  = term { "or" term }          term = factor { "and" factor }
    factor     = "not" factor | "(" condition ")" | "always" | fact operator value
    value      = word | number | "[" word { "," word } "]"

Whether a fact exists and fits its value is the ledger's question, when the rules are adopted.
"""

import re
from typing import Any, Final, NamedTuple

Form = dict[str, Any]
ALWAYS: Final[Form] = {"tag": "all", "items": []}
_OPERATORS: Final = ("==", "!=", "<=", ">=", "<", ">", "in", "not in")
_TOKEN: Final = re.compile(r"==|!=|<=|>=|<|>|[()\[\],]|[A-Za-z0-9_.\-]+")
_NUMBER: Final = re.compile(r"^\d[\d_]*$")


class _Token(NamedTuple):
    text: str
    place: int  # of its first character, counted from 1


def parse_condition(text: str) -> Form:
    """The condition as a form. Raises ValueError with the rule and the place."""
    parser = _Parser(_tokens(text))
    form = parser.condition()
    if parser.here.text:
        raise ValueError(f"at character {parser.here.place}: nothing may follow here, but {parser.here.text!r} does")
    return form


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        match = _TOKEN.match(rest)
        if match is None:
            raise ValueError(f"at character {at + 1}: {rest[0]!r} has no meaning here")
        found.append(_Token(match.group(), at + 1))
        at += match.end()
    return [*found, _Token("", len(text) + 1)]


class _Parser:
    """Reads from left to right; one method a line of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def here(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self.here
        self._at += bool(token.text)
        return token

    def _took(self, text: str) -> bool:
        return bool(self.here.text == text and self._take())

    def _need(self, text: str) -> None:
        if not self._took(text):
            raise ValueError(
                f"at character {self.here.place}: expected {text!r}, found {self.here.text or 'the end'!r}"
            )

    def condition(self) -> Form:
        items = [self._term()]
        while self._took("or"):
            items.append(self._term())
        return items[0] if len(items) == 1 else {"tag": "any", "items": items}

    def _term(self) -> Form:
        items = [self._factor()]
        while self._took("and"):
            items.append(self._factor())
        return items[0] if len(items) == 1 else {"tag": "all", "items": items}

    def _factor(self) -> Form:
        if self._took("not"):
            return {"tag": "not", "item": self._factor()}
        if self._took("("):
            inner = self.condition()
            self._need(")")
            return inner
        return ALWAYS if self._took("always") else self._comparison()

    def _comparison(self) -> Form:
        fact = self._word("a fact")
        operator = self._take()
        text = f"not {self._take().text}" if operator.text == "not" else operator.text
        if text not in _OPERATORS:
            raise ValueError(f"at character {operator.place}: expected one of {' '.join(_OPERATORS)}, found {text!r}")
        return {"tag": "is", "fact": fact, "op": text, "value": self._value()}

    def _value(self) -> object:
        if not self._took("["):
            word = self._word("a word or a number")
            return int(word.replace("_", "")) if _NUMBER.match(word) else word
        words = [self._word("a word")]
        while self._took(","):
            words.append(self._word("a word"))
        self._need("]")
        return words

    def _word(self, wanted: str) -> str:
        token = self._take()
        if not token.text or not (token.text[0].isalnum()):
            raise ValueError(f"at character {token.place}: expected {wanted}, found {token.text or 'the end'!r}")
        return token.text
