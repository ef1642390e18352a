"""What people do with local lists."""
