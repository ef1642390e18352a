"""Fences: the writer asks whether its stations are still its own as part of what it writes.

Events of sessions no longer look up their tenant one by one: the session that each refers to has it, and all writers
would lock that one row at every event.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Whoever takes over stations holds the lock exclusively while it raises their epochs: what is read after we have the
# lock holds until the commit.
HOLD = """
CREATE FUNCTION hold_fences(gateway text, fences json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext(gateway));
    IF EXISTS (
        SELECT FROM json_array_elements(fences) AS f (fence)
        LEFT JOIN station_presence p ON p.station_id = (fence ->> 0)::int
        WHERE p.connection_epoch IS DISTINCT FROM (fence ->> 1)::bigint)
    THEN
        RAISE EXCEPTION 'a station has connected elsewhere' USING ERRCODE = 'PW001';
    END IF;
END $$
"""


EVENTS = "ALTER TABLE session_event DROP CONSTRAINT session_event_tenant_id_fkey"


def upgrade() -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(f"{HOLD};{EVENTS}"))
