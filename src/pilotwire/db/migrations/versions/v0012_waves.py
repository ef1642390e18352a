"""Tasks in waves, within maintenance windows, for idle stations only."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE task
    ADD COLUMN wave smallint NOT NULL DEFAULT 0,
    ADD COLUMN next_wave_at timestamptz,
    ADD COLUMN maintenance_window jsonb,
    ADD COLUMN only_idle boolean NOT NULL DEFAULT false,
    ADD COLUMN expires_in_s integer NOT NULL DEFAULT 86400,
    ADD COLUMN random_delay_s integer NOT NULL DEFAULT 0,
    ADD COLUMN pause_reason text NOT NULL DEFAULT '';
ALTER TABLE command ADD COLUMN wave smallint NOT NULL DEFAULT 0;
CREATE INDEX task_next_wave_at_idx ON task (next_wave_at) WHERE next_wave_at IS NOT NULL;
CREATE TABLE task_wave (
    task_id uuid NOT NULL REFERENCES task ON DELETE CASCADE,
    number smallint NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    total integer NOT NULL,
    succeeded integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    success_percent double precision NOT NULL,
    wait_s integer NOT NULL,
    opened_at timestamptz,
    passed_at timestamptz,
    PRIMARY KEY (task_id, number)
) WITH (fillfactor = 70);
ALTER TABLE task_wave ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON task_wave TO pilotwire_app
    USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)
    WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);
GRANT SELECT, INSERT, UPDATE, DELETE ON task_wave TO pilotwire_app;
"""


def upgrade() -> None:
    op.get_bind().connection.run_async(lambda driver: driver.execute(TABLES))
