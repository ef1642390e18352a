"""What is watched of sessions: targets, full cars, what stations were asked. Nothing of before is changed."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE session_watch (
    session_id uuid PRIMARY KEY REFERENCES session ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    target jsonb,
    target_state text CHECK (target_state IN ('waiting', 'stopping', 'reached', 'missed', 'over', 'cancelled')),
    target_by text NOT NULL DEFAULT '',
    target_reached text,
    target_reached_at timestamptz,
    target_detail text NOT NULL DEFAULT '',
    task_id uuid,
    attempts smallint NOT NULL DEFAULT 0,
    next_at timestamptz,
    full_since timestamptz,
    full_evidence text,
    asked_at timestamptz,
    said text,
    reported text,
    checked_at timestamptz
);
CREATE INDEX session_watch_target_idx ON session_watch (session_id) WHERE target_state IN ('waiting', 'stopping');
CREATE INDEX task_start_with_target_idx ON task (created_at)
    WHERE name = 'start_charging' AND (command -> 'target') <> 'null'::jsonb;
ALTER TABLE session_watch ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON session_watch TO pilotwire_app
    USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)
    WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);
GRANT SELECT, INSERT, UPDATE, DELETE ON session_watch TO pilotwire_app;
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
