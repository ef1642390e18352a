"""What people do with tokens."""
