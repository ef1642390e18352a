"""What is logged of libraries: in a process of its own, as it concerns the whole of one."""

import json
import subprocess
import sys

import pytest

_SAYING = """
import logging, sys
from pilotwire.app.logs import set_up_logs
set_up_logs(sys.argv[1], as_json=True)
logging.getLogger("pymodbus.logging").warning("no device")
logging.getLogger("pymodbus.logging").error("broken")
logging.getLogger("pilotwire.some.module").info("ours")
logging.getLogger("another.library").warning("theirs")
logging.getLogger("another.library").info("chatter")
"""


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("info", ["broken", "ours", "theirs"]),
        ("warning", ["broken", "theirs"]),
        ("debug", ["no device", "broken", "ours", "theirs"]),
    ],
)
def test_a_device_that_does_not_answer_is_no_line_per_attempt(level: str, said: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SAYING, level], capture_output=True, text=True, check=True, timeout=60
    )
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == said
