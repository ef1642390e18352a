"""Charging sessions: their events, their state as a fold over them, and meter samples."""
