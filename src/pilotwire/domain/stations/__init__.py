"""Sites, stations, EVSEs and connectors: who they are, who may connect, what they report."""
