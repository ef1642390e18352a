"""Firmware images, logs of stations, and grants to fetch and deliver them."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE firmware_image (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    vendor text NOT NULL,
    model text NOT NULL DEFAULT '',
    version text NOT NULL,
    file_name text NOT NULL,
    file_id uuid,
    size_bytes bigint,
    sha256 bytea,
    signature text,
    signing_certificate text,
    notes text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    uploaded_at timestamptz
);
CREATE UNIQUE INDEX firmware_image_make_idx ON firmware_image (tenant_id, lower(vendor), lower(model), version);
CREATE TABLE station_log (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    command_id bigint NOT NULL,
    kind text NOT NULL,
    file_name text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    remote_address text NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX station_log_tenant_id_id_idx ON station_log (tenant_id, id DESC);
CREATE INDEX station_log_station_id_id_idx ON station_log (station_id, id DESC);
CREATE INDEX station_log_received_at_idx ON station_log (received_at);
CREATE TABLE file_grant (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    command_id bigint NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('firmware', 'diagnostics', 'security')),
    image_id uuid REFERENCES firmware_image ON DELETE CASCADE,
    digest bytea NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    uses_left integer NOT NULL DEFAULT 1,
    starts integer NOT NULL DEFAULT 0,
    sent_bytes bigint NOT NULL DEFAULT 0,
    first_used_at timestamptz,
    used_at timestamptz,
    remote_address text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX file_grant_station_id_idx ON file_grant (station_id);
CREATE INDEX file_grant_image_id_idx ON file_grant (image_id);
CREATE INDEX file_grant_expires_at_idx ON file_grant (expires_at);
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in ("firmware_image", "station_log", "file_grant"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
