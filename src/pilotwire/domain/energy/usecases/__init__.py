"""Energy management: trees, readings, wishes, overrides, looking at it."""
