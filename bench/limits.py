"""The process's own limits."""

import resource


def raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one, as 10,000 sockets need it, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
