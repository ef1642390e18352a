"""What people do with reservations."""
