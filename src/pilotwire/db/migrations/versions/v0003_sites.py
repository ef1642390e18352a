"""Sites in full: opening hours, contacts, grid connection; tags, and groups of stations."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SITES = """
ALTER TABLE site
    ADD COLUMN access_notes text NOT NULL DEFAULT '',
    ADD COLUMN opening_hours jsonb,
    ADD COLUMN contacts jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN grid_connection jsonb,
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
ALTER TABLE station ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
CREATE INDEX station_tags_idx ON station USING gin (tags);
CREATE TABLE station_group (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    name text NOT NULL,
    note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name)
);
CREATE TABLE station_group_member (
    group_id uuid NOT NULL REFERENCES station_group ON DELETE CASCADE,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    PRIMARY KEY (group_id, station_id)
);
CREATE INDEX station_group_member_station_id_idx ON station_group_member (station_id);
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(SITES)
    for table in ("station_group", "station_group_member"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
