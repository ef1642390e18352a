"""Relays: stations whose frames also go to another back end."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE station_relay (
    station_id integer PRIMARY KEY REFERENCES station ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    url text NOT NULL,
    sealed_password bytea NOT NULL,
    authority text NOT NULL CHECK (authority IN ('pilotwire', 'other')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE relay_transaction (
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    at_station bigint NOT NULL,
    ours bigint NOT NULL,
    theirs bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (station_id, ours)
);
CREATE INDEX relay_transaction_at_idx ON relay_transaction (station_id, at DESC);
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in ("station_relay", "relay_transaction"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app;"
            f"SELECT limit_to_sites('{table}')"
        )
