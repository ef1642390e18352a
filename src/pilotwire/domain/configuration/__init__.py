"""What a station is set to and what it should be: its components and variables, templates, drift."""
