"""Certificates of stations: their requests, who signs, what is out there, and how a station gets safer."""
