"""Watching over sessions: their targets, full cars, ends and starts that never came."""
