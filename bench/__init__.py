"""Measurements of Pilotwire against its budgets: `python -m bench` or `pilotwire bench`, from a checkout."""
