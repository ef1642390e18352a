"""What people and stations do with files."""
