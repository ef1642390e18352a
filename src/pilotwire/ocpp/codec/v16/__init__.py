"""OCPP 1.6 in the words of the domain."""
