"""Log lines: for people on a terminal, as JSON for collectors; always on standard error."""

import logging
import sys

import structlog

__all__ = ["set_up_logs"]


def set_up_logs(level: str, *, as_json: bool) -> None:
    """Send our own lines and those of libraries through the same renderer."""
    number = getattr(logging, level.upper())
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The other formatter shows local variables, and with them what stations and people sent.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[*before, structlog.processors.format_exc_info, renderer]
        if as_json
        else [*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("pilotwire").setLevel(number)
    # It warns of every attempt that a device does not answer; it is shown as the problem of that meter or battery.
    logging.getLogger("pymodbus").setLevel(number if number <= logging.DEBUG else logging.ERROR)
