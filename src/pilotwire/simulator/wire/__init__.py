"""How the version-free station is spelt in each OCPP version."""
