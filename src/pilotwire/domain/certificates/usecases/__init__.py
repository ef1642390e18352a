"""What people and jobs do with certificates."""
