"""kill -9 of server and PostgreSQL under load, at random moments and named points: what was answered is there, once.

The same for a primary whose synchronous standby takes its place.
"""

from pathlib import Path

import pytest

from bench.crash import CrashOptions, crash

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("target", "kills"), [("server", 20), ("postgres", 6), ("points", 8), ("standby", 5)]
)
async def test_killed_again_and_again(tmp_path: Path, target: str, kills: int) -> None:
    options = CrashOptions(kills=kills, target=target, stations=18, seed=20, longest_wait_s=1.0)
    report = await crash(options, tmp_path)
    assert report.good, str(report)
    assert report.kills == kills
    assert report.answered > 50 * kills
    assert report.sessions > kills
