"""What charging means: stations, tokens, sessions, people. Knows no socket, HTTP, OCPP version or setting."""
