"""Files between stations and the system: firmware that they fetch, logs that they deliver."""
