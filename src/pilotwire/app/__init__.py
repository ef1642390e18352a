"""The composition root: the one place that builds the parts and ties them together."""

from pilotwire.app.server import Server, open_database

__all__ = ["Server", "open_database"]
