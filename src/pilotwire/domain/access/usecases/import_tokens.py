"""Tokens from a table and to a table."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.bus import LocalBus
from pilotwire.core.clock import parse_iso
from pilotwire.core.ids import new_uuid
from pilotwire.core.sheets import write_row
from pilotwire.db.engine import Database
from pilotwire.domain.access import repository
from pilotwire.domain.access.events import TokenChanged
from pilotwire.domain.access.model import Token, TokenKind, TokenStatus, fold_uid
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.importing import CellRefused, ImportReport, choice, import_sheet, line_of_text

__all__ = ["TOKEN_COLUMNS", "export_tokens", "import_tokens"]

_PAGE = 1000
_RACE = CellRefused("was added by somebody else at this moment", "import the table again")


def _moment(cell: str) -> datetime | None:
    if not cell:
        return None
    try:
        moment = parse_iso(cell)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not 1970 <= moment.year <= 9998:
        raise CellRefused("is no moment", "write such as 2030-12-31T23:59:59Z") from None
    return moment


def _group(cell: str) -> str | None:
    return line_of_text(36)(cell) or None


_READ: Mapping[str, Any] = {
    "uid": line_of_text(255, empty=False),
    "kind": choice(*TokenKind, empty="rfid"),
    "status": choice(*TokenStatus, empty="accepted"),
    "group_id": _group,
    "valid_until": _moment,
    "holder": line_of_text(200),
}
TOKEN_COLUMNS = tuple(_READ)


class _Tokens:
    kind = "tokens"
    key = "uid"
    columns = _READ
    secret: frozenset[str] = frozenset()

    def __init__(self, bus: LocalBus, principal: Principal) -> None:
        self._bus = bus
        self._principal = principal
        self._known: Mapping[str, Mapping[str, Any]] = {}
        self._new: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []

    def identity(self, key: str) -> str:
        return fold_uid(key)

    async def prepare(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        self._known = await repository.lock_tokens(connection, [fold_uid(row["uid"]) for row in rows])

    def judge(self, values: Mapping[str, Any]) -> str:
        folded = fold_uid(values["uid"])
        known = self._known.get(folded)
        if known is None:
            empty = {name: read("") for name, read in _READ.items() if name != "uid"}
            self._new.append({"id": new_uuid(), "folded_uid": folded, **empty, **values})
            return "created"
        # The spelling that the card was added with stays: its letter case makes no difference.
        wanted = {name: value for name, value in values.items() if name != "uid"}
        if all(known[name] == value for name, value in wanted.items()):
            return "unchanged"
        self._changed.append({**known, **wanted})
        return "updated"

    async def write(self, connection: AsyncConnection, report: ImportReport) -> Mapping[str, CellRefused]:
        del report
        added = await repository.insert_tokens(connection, self._principal.tenant_id, self._new)
        await repository.update_tokens(connection, self._changed)
        return {row["folded_uid"]: _RACE for row in self._new if row["folded_uid"] not in added}

    def told(self) -> None:
        for row in (*self._new, *self._changed):
            token = Token(row["uid"], TokenStatus(row["status"]), row["group_id"], row["valid_until"])
            self._bus.publish(TokenChanged(self._principal.tenant_id, row["folded_uid"], token))


async def import_tokens(
    db: Database,
    bus: LocalBus,
    principal: Principal,
    data: bytes,
    *,
    dry_run: bool = False,
    skip_bad_rows: bool = False,
) -> ImportReport:
    """Add and change tokens by their uid, whatever its letter case; columns that are not there stay as they are.

    Raises: Invalid when the table as a whole cannot be read.
    """
    require(principal, Right.CHANGE_TOKENS)
    importer = _Tokens(bus, principal)
    return await import_sheet(db, principal, importer, data, dry_run=dry_run, skip_bad_rows=skip_bad_rows)


async def export_tokens(db: Database, principal: Principal) -> AsyncIterator[str]:
    """Give all tokens as lines of CSV, in parts."""
    require(principal, Right.VIEW_TOKENS)
    yield write_row(TOKEN_COLUMNS)
    after: str | None = None
    while True:
        async with db.tenant(principal.scope) as connection:
            rows = await repository.list_tokens(connection, after, _PAGE)
        if not rows:
            return
        yield "".join(
            write_row(
                (
                    row.uid, row.kind, row.status, row.group_id,
                    row.valid_until and row.valid_until.isoformat(), row.holder,
                )
            )
            for row in rows
        )  # fmt: skip
        after = rows[-1].folded_uid
