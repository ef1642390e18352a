"""What every batch of messages costs PostgreSQL, made less: fences come as arrays, and events look no session up.

A session is written by the batch that has its first event, before it, and nothing removes one: the look-up of each
event's session only took a lock on its row.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# hold_fences(text, json) stays for the servers that have not been upgraded yet.
HOLD = """
CREATE FUNCTION hold_fences(gateway text, stations int[], epochs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext(gateway));
    IF EXISTS (
        SELECT FROM unnest(stations, epochs) AS f (station_id, epoch)
        LEFT JOIN station_presence p ON p.station_id = f.station_id
        WHERE p.connection_epoch IS DISTINCT FROM f.epoch)
    THEN
        RAISE EXCEPTION 'a station has connected elsewhere' USING ERRCODE = 'PW001';
    END IF;
END $$
"""
EVENTS = "ALTER TABLE session_event DROP CONSTRAINT session_event_session_id_fkey"


def upgrade() -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(f"{HOLD};{EVENTS}"))
