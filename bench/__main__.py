"""`python -m bench COMMAND`: gateway, console, crash, energy, inside, load, baseline, null."""

import importlib
import sys

_COMMANDS = {
    "gateway": ("bench.gateway", "measure Pilotwire's gateway against the usual way and against its budgets"),
    "console": ("bench.console", "measure what readers of the live stream cost the server"),
    "crash": (
        "bench.crash",
        "kill the server or PostgreSQL under load, and look for losses",
    ),
    "energy": (
        "bench.energy",
        "real sessions against acnportal's algorithms; --scale: 1,000 to 5,000 EVSEs; --prices: a year",
    ),
    "inside": ("bench.inside", "what a message costs between socket and writer, without both"),
    "load": ("bench.load", "drive any OCPP server with N stations"),
    "baseline": ("bench.baseline", "the usual way: ocpp + websockets + SQLAlchemy, commit per message"),
    "null": ("bench.null_server", "a server that only answers: the load generator's own ceiling"),
}


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0 good, 1 a budget or a check failed, 2 wrong usage."""
    if not arguments or arguments[0] not in _COMMANDS:
        wanted_help = bool(arguments) and arguments[0] in ("-h", "--help")
        print("usage: python -m bench COMMAND [options]   (COMMAND --help explains each)\n")
        for name, (_, text) in _COMMANDS.items():
            print(f"  {name:9s} {text}")
        return 0 if wanted_help else 2
    module = importlib.import_module(_COMMANDS[arguments[0]][0])
    code: int = module.main(arguments[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
