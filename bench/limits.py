"""The process's own limits."""

import resource


def raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one and return it: 10,000 sockets do not fit into the usual 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
