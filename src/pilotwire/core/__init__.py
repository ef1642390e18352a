"""What every room may use: clock, ids, errors. Standard library only."""
