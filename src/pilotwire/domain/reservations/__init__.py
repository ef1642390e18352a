"""Reservations: a place to charge kept for a token or a group, for a time."""
