"""What people do with the configuration of stations."""
