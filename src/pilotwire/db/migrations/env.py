"""Alembic's entry: it runs on the connection that `pilotwire.db.migrate` hands over."""

from alembic import context

from pilotwire.db.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    version_table="schema_version",
)
with context.begin_transaction():
    context.run_migrations()
