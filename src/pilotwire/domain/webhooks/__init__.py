"""Webhooks: events told to other programs, signed, kept until they arrive."""
