"""Health: how well stations, sites and models do their work."""
