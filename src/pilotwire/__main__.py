"""`python -m pilotwire`."""

from pilotwire.cli import main

if __name__ == "__main__":
    main()
