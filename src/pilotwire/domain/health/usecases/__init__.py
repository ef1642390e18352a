"""What people ask about health."""
