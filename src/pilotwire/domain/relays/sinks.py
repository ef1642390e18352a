"""How the records of relays get into their table."""

from collections.abc import Mapping

from pilotwire.db.bulk import run_with_rows
from pilotwire.db.bundle import Writing
from pilotwire.db.writer import Sink
from pilotwire.domain.relays.records import RelayMessageKept, RelayMessageOver

__all__ = ["SINKS"]


async def _keep_messages(target: Writing, records: list[RelayMessageKept]) -> None:
    # A relay that was removed a moment ago has nothing to tell any more.
    await run_with_rows(
        target,
        "INSERT INTO relay_message (id, station_id, tenant_id, message_id, action, frame, received_at)"
        " SELECT m.id, m.station_id, r.tenant_id, m.message_id, m.action, m.frame, m.received_at"
        " FROM json_to_recordset($1) AS m (id uuid, station_id int, message_id text, action text, frame text,"
        " received_at timestamptz) JOIN station_relay r ON r.station_id = m.station_id",
        records,
    )


async def _end_messages(target: Writing, records: list[RelayMessageOver]) -> None:
    await run_with_rows(
        target,
        "DELETE FROM relay_message USING json_to_recordset($1) AS m (id uuid) WHERE relay_message.id = m.id",
        records,
    )


# A message may be kept and over in the same batch.
SINKS: Mapping[type, Sink] = {RelayMessageKept: _keep_messages, RelayMessageOver: _end_messages}
