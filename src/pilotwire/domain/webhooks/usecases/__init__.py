"""What people do with webhooks."""
