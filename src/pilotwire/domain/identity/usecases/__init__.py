"""What people do with people and keys."""
