"""What people do with stations."""
