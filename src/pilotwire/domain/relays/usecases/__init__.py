"""What people do with relays."""
