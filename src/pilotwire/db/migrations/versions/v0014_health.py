"""What health is told from: connections, outages and plug-ins as they come and go, downtime that does not count, days.

Triggers keep the first three, whoever writes: they run when a state changes its kind, not at every message.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE station_connection (
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    epoch bigint NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    connected_at timestamptz NOT NULL,
    disconnected_at timestamptz,
    PRIMARY KEY (station_id, epoch)
);
CREATE TABLE connector_outage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    evse_no integer NOT NULL,
    connector_no integer NOT NULL,
    status text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX connector_outage_open_key ON connector_outage (station_id, evse_no, connector_no)
    WHERE ended_at IS NULL;
CREATE INDEX connector_outage_station_id_idx ON connector_outage (station_id, started_at);
CREATE TABLE plug_in (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    evse_no integer NOT NULL,
    connector_no integer NOT NULL,
    plugged_at timestamptz NOT NULL,
    unplugged_at timestamptz
);
CREATE UNIQUE INDEX plug_in_open_key ON plug_in (station_id, evse_no, connector_no) WHERE unplugged_at IS NULL;
CREATE INDEX plug_in_unplugged_at_idx ON plug_in (unplugged_at);
CREATE INDEX plug_in_station_id_idx ON plug_in (station_id, unplugged_at);
CREATE INDEX session_ended_at_idx ON session (ended_at);
CREATE TABLE excluded_downtime (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    site_id uuid REFERENCES site ON DELETE CASCADE,
    station_id integer REFERENCES station ON DELETE CASCADE,
    evse_no integer,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    reason text NOT NULL,
    note text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX excluded_downtime_ended_at_idx ON excluded_downtime (tenant_id, ended_at);
CREATE TABLE station_day (
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    day date NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    messages bigint NOT NULL,
    repaired bigint NOT NULL,
    connects integer NOT NULL,
    plug_ins integer NOT NULL,
    plug_ins_charged integer NOT NULL,
    sessions integer NOT NULL,
    sessions_successful integer NOT NULL,
    energy_wh numeric(16, 3) NOT NULL,
    PRIMARY KEY (station_id, day)
);
CREATE INDEX station_day_day_idx ON station_day (day);
"""

TRIGGERS = """
CREATE FUNCTION keep_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE station_connection SET disconnected_at = greatest(connected_at,
        CASE WHEN NEW.connected THEN NEW.connected_at ELSE coalesce(NEW.disconnected_at, now()) END)
        WHERE station_id = NEW.station_id AND disconnected_at IS NULL;
    IF NEW.connected THEN
        INSERT INTO station_connection (station_id, epoch, tenant_id, connected_at)
        VALUES (NEW.station_id, NEW.connection_epoch, NEW.tenant_id, coalesce(NEW.connected_at, now()))
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_connection AFTER UPDATE OF connection_epoch, connected ON station_presence FOR EACH ROW
    WHEN (OLD.connection_epoch <> NEW.connection_epoch OR OLD.connected <> NEW.connected)
    EXECUTE FUNCTION keep_connection();

-- The station's own moment counts, as far as it can be true: what it reports late happened before.
CREATE FUNCTION keep_use() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := CASE WHEN NEW.status_at > NEW.received_at OR NEW.status_at < NEW.received_at - interval '1 day'
        THEN NEW.received_at ELSE NEW.status_at END;
BEGIN
    UPDATE connector_outage SET ended_at = greatest(started_at, moment) WHERE station_id = NEW.station_id
        AND evse_no = NEW.evse_no AND connector_no = NEW.connector_no AND ended_at IS NULL;
    IF NEW.status IN ('faulted', 'unavailable') THEN
        INSERT INTO connector_outage (tenant_id, station_id, evse_no, connector_no, status, started_at)
        VALUES (NEW.tenant_id, NEW.station_id, NEW.evse_no, NEW.connector_no, NEW.status, moment)
        ON CONFLICT DO NOTHING;
    END IF;
    IF NEW.status IN ('available', 'reserved', 'unavailable') THEN
        UPDATE plug_in SET unplugged_at = greatest(plugged_at, moment) WHERE station_id = NEW.station_id
            AND evse_no = NEW.evse_no AND connector_no = NEW.connector_no AND unplugged_at IS NULL;
    ELSIF NEW.status <> 'faulted' AND NEW.evse_no > 0 THEN
        INSERT INTO plug_in (tenant_id, station_id, evse_no, connector_no, plugged_at)
        VALUES (NEW.tenant_id, NEW.station_id, NEW.evse_no, NEW.connector_no, moment) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_use_of_new AFTER INSERT ON connector FOR EACH ROW WHEN (NEW.status <> 'available')
    EXECUTE FUNCTION keep_use();
CREATE TRIGGER keep_use AFTER UPDATE OF status ON connector FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND (OLD.status IN ('available', 'reserved', 'unavailable', 'faulted')
        OR NEW.status IN ('available', 'reserved', 'unavailable', 'faulted')))
    EXECUTE FUNCTION keep_use();
-- What is known already: who is connected, and what is out of order.
INSERT INTO station_connection (station_id, epoch, tenant_id, connected_at)
    SELECT station_id, connection_epoch, tenant_id, connected_at FROM station_presence
    WHERE connected AND connected_at IS NOT NULL;
INSERT INTO connector_outage (tenant_id, station_id, evse_no, connector_no, status, started_at)
    SELECT tenant_id, station_id, evse_no, connector_no, status, received_at FROM connector
    WHERE status IN ('faulted', 'unavailable');
"""

# It is of a station or of a site.
LIMIT_OF_DOWNTIME = """
CREATE POLICY sites ON excluded_downtime AS RESTRICTIVE TO pilotwire_app
    USING (nullif(current_setting('pilotwire.sites', true), '') IS NULL
        OR station_id IN (SELECT station.id FROM station)
        OR site_id = ANY (nullif(current_setting('pilotwire.sites', true), '')::uuid[]));
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    _run(TRIGGERS)
    for table in ("station_connection", "connector_outage", "plug_in", "excluded_downtime", "station_day"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
    for table in ("station_connection", "connector_outage", "plug_in", "station_day"):
        _run(f"SELECT limit_to_sites('{table}')")
    _run(LIMIT_OF_DOWNTIME)
