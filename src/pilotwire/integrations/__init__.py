"""What stands outside: implementations of the protocols that the domain declares."""
