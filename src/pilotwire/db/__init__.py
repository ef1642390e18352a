"""The database: engine, embedded server, group-commit writer, partitions, migrations."""
