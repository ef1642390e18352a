"""What operators do to stations: commands, and tasks that give one command to many stations."""
