"""Stations whose frames also go to another back end, so that a network can move step by step."""
