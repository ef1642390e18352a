"""Measurements of Pilotwire against its budgets; run from a checkout with `python -m bench` or `pilotwire bench`."""
