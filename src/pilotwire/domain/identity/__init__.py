"""Tenants, people, API keys, and what each may do."""
