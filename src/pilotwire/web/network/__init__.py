"""The live picture of a network: in memory while somebody looks at it, told in ticks that are encoded once for all."""
