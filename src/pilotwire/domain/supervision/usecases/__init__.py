"""What people do with the targets of sessions."""
