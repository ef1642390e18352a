"""Commands and tasks: giving, looking at, cancelling, trying again."""
