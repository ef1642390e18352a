"""Lists in pages: an opaque cursor says where the next page begins."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from pilotwire.core.clock import parse_iso
from pilotwire.core.errors import Invalid

__all__ = ["Cursor", "Limit", "Page", "decode_cursor", "encode_cursor", "make_page"]

T = TypeVar("T")
R = TypeVar("R")

Limit = Annotated[int, Query(ge=1, le=1000, description="At most this many items.")]
Cursor = Annotated[
    str | None,
    Query(max_length=1000, description="The `next` of the previous page; leave it out for the first."),
]


class Page(BaseModel, Generic[T]):
    """A part of a list. `next` is the cursor of the next part, null at the end."""

    items: list[T]
    next: str | None = Field(examples=[None])


def encode_cursor(*parts: str | datetime | UUID) -> str:
    """Make a cursor of the sort key of a page's last item."""
    texts = [part.isoformat() if isinstance(part, datetime) else str(part) for part in parts]
    return base64.urlsafe_b64encode(json.dumps(texts, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> Any:
    """Read a cursor into values of `kinds`: a tuple, or the value itself if there is one kind.

    Without a cursor it is None.

    Raises: Invalid when it was not made by `encode_cursor` for such a list.
    """
    if not cursor:
        return None
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = tuple(_read(text, kind) for text, kind in zip(texts, kinds, strict=True))
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise Invalid("the cursor is not one of this list: take it from `next` of the page before") from error
    return values if len(kinds) > 1 else values[0]


def _read(text: Any, kind: type) -> Any:
    if not isinstance(text, str) or "\0" in text or not (text.isascii() or text.isprintable()):
        raise ValueError
    if kind is datetime:
        return parse_iso(text)
    return UUID(text) if kind is UUID else text


def make_page(
    rows: Sequence[R],
    limit: int,
    show: Callable[[R], T],
    key: Callable[[R], tuple[str | datetime | UUID, ...]],
) -> Page[T]:
    """Make a page of rows of which one more than `limit` was asked for."""
    shown = rows[:limit]
    following = encode_cursor(*key(shown[-1])) if len(rows) > limit else None
    return Page(items=[show(row) for row in shown], next=following)
