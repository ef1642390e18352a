"""Stations from a table and to a table."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.bus import LocalBus
from pilotwire.core.ids import new_secret
from pilotwire.core.sheets import write_row
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.importing import (
    CellRefused,
    ImportReport,
    choice,
    import_sheet,
    line_of_text,
    list_of,
)
from pilotwire.domain.stations import sheet_queries
from pilotwire.domain.stations.credentials import checked_secret, digest_secret
from pilotwire.domain.stations.model import StationRecord
from pilotwire.domain.stations.ports import StationChanged
from pilotwire.domain.stations.site import checked_tags
from pilotwire.domain.stations.usecases.add_stations import checked_identity

__all__ = ["STATION_COLUMNS", "export_stations", "import_stations"]

_PAGE = 1000
_ELSEWHERE = CellRefused("belongs to another operator of this system", "use another identity")


def _profile(cell: str) -> int | None:
    if cell not in ("", "1", "2", "3"):
        raise CellRefused("is no security profile", "write 1, 2 or 3, or leave it empty")
    return int(cell) if cell else None


def _password(cell: str) -> str | None:
    return checked_secret(cell) if cell else None


_READ: Mapping[str, Any] = {
    "id": checked_identity,
    "name": line_of_text(200),
    "site": line_of_text(200),
    "admission": choice("accepted", "pending", "rejected", empty="accepted"),
    "security_profile": _profile,
    "tags": lambda cell: checked_tags(list_of(cell)),
    "password": _password,
    "ocpp_version": None,
    "vendor": None,
    "model": None,
    "serial_number": None,
    "firmware_version": None,
    "last_seen_at": None,
}
STATION_COLUMNS = tuple(column for column in _READ if column != "password")
"""What an export has: all but the password, which nobody can read."""


class _Stations:
    kind = "stations"
    key = "id"
    columns = _READ
    secret = frozenset({"password"})

    def __init__(self, bus: LocalBus, pepper: bytes, principal: Principal) -> None:
        self._bus = bus
        self._pepper = pepper
        self._principal = principal
        self._known: Mapping[str, Mapping[str, Any]] = {}
        self._sites: Mapping[str, Any] = {}
        self._new: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []
        self._secrets: dict[str, str] = {}
        self._records: Sequence[StationRecord] = ()

    def identity(self, key: str) -> str:
        return key

    async def prepare(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        self._known = await sheet_queries.lock_stations(connection, [row["id"] for row in rows])
        names = {row["site"] for row in rows if row.get("site")}
        self._sites = await sheet_queries.site_ids(connection, sorted(names))

    def judge(self, values: Mapping[str, Any]) -> str:
        known = self._known.get(values["id"])
        wanted = {name: values[name] for name in ("name", "admission", "tags") if name in values}
        if "site" in values:
            if values["site"] and values["site"] not in self._sites:
                raise CellRefused(
                    f"stands at a site that is not there: '{values['site'][:60]}'",
                    "add or import the site first",
                )
            wanted["site_id"] = self._sites.get(values["site"])
        profile = values.get("security_profile")
        if profile is not None:
            wanted["minimum_security_profile"] = profile
        if known is None:
            self._plan_new(values, wanted)
            return "created"
        lowers = profile is not None and profile < known["minimum_security_profile"]
        if lowers and not self._principal.may(Right.LOWER_SECURITY):
            raise CellRefused(
                f"would lower its security profile from {known['minimum_security_profile']}",
                "ask an administrator, or leave the cell empty",
            )
        if values.get("password") is not None:
            wanted["secret_digest"] = digest_secret(self._pepper, values["password"].encode())
        if all(known[name] == value for name, value in wanted.items()):
            return "unchanged"
        if known["secret_digest"] != wanted.get("secret_digest", known["secret_digest"]):
            wanted["next_secret_digest"] = None
        self._changed.append({**known, **wanted})
        return "updated"

    def _plan_new(self, values: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        password = values.get("password")
        if password is None:
            password = self._secrets[values["id"]] = new_secret()
        self._new.append(
            {
                "identity": values["id"],
                "name": "",
                "site_id": None,
                "admission": "accepted",
                "tags": [],
                "minimum_security_profile": 1,
                "secret_digest": digest_secret(self._pepper, password.encode()),
                **wanted,
            }
        )

    async def write(self, connection: AsyncConnection, report: ImportReport) -> Mapping[str, CellRefused]:
        added = await sheet_queries.insert_stations(connection, self._principal.tenant_id, self._new)
        await sheet_queries.update_stations(connection, self._changed)
        report.secrets = {key: secret for key, secret in self._secrets.items() if key in added}
        numbers = [*added.values(), *(row["id"] for row in self._changed)]
        self._records = await sheet_queries.list_station_records(connection, numbers)
        return {row["identity"]: _ELSEWHERE for row in self._new if row["identity"] not in added}

    def told(self) -> None:
        for record in self._records:
            self._bus.publish(StationChanged(record))


async def import_stations(
    db: Database,
    bus: LocalBus,
    pepper: bytes,
    principal: Principal,
    data: bytes,
    *,
    dry_run: bool = False,
    skip_bad_rows: bool = False,
) -> ImportReport:
    """Add and change stations by their identity; columns that are not there stay as they are.

    A new station without a password gets one, told in `secrets` this once.
    Raises: Invalid when the table as a whole cannot be read.
    """
    require(principal, Right.CHANGE_STATIONS)
    importer = _Stations(bus, pepper, principal)
    return await import_sheet(db, principal, importer, data, dry_run=dry_run, skip_bad_rows=skip_bad_rows)


async def export_stations(db: Database, principal: Principal) -> AsyncIterator[str]:
    """Give all stations as lines of CSV, in parts; each part is read in a transaction of its own."""
    require(principal, Right.VIEW_NETWORK)
    yield write_row(STATION_COLUMNS)
    after = ""
    while True:
        async with db.tenant(principal.scope) as connection:
            rows = await sheet_queries.list_station_rows(connection, after, _PAGE)
        if not rows:
            return
        yield "".join(
            write_row(
                (
                    row.identity, row.name, row.site_name, row.admission, row.minimum_security_profile,
                    "; ".join(row.tags), row.ocpp_version, row.vendor, row.model, row.serial_number,
                    row.firmware_version, row.last_seen_at and row.last_seen_at.isoformat(),
                )
            )
            for row in rows
        )  # fmt: skip
        after = rows[-1].identity
