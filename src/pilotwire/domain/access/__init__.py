"""Tokens and the right to charge."""
