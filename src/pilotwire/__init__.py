"""Pilotwire: an open-source charge point management system.

The packages are storeys of a house, from the ground up: `core`, `db` and `bus`, `domain`, then the edges
(`ocpp` for stations, `web` for people, `jobs`, `simulator`), `settings`, `app` and `cli` on top.
"""
