"""Sentences for people that a program can say in another language.

The server speaks English. A sentence that people see often carries a code and values beside its English, and the
console says it in the reader's language; a code that a reader does not know is told in English. The codes are
gathered from the calls of `say` by scripts/generate_texts.py, so a code belongs to one template.
"""

from typing import Any

import msgspec

__all__ = ["Text", "say"]


class Text(msgspec.Struct, frozen=True):
    """A sentence in English, with the code and the values by which it can be said otherwise."""

    english: str
    code: str
    values: dict[str, str | int | float] = {}

    def __str__(self) -> str:
        return self.english

    def reason(self) -> dict[str, Any]:
        """Give code and values in the API's shape."""
        return {"code": self.code, "values": self.values}


def say(code: str, template: str, /, **values: Any) -> Text:
    """Make a sentence of a template (`str.format`); code and template are literals, or they are not found."""
    return Text(
        template.format_map(values),
        code,
        {name: value if type(value) in (int, float) else str(value) for name, value in values.items()},
    )
