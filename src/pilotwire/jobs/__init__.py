"""Background work that crosses capabilities."""
