"""The verdict on a run of the benchmark: what is compared with what."""

from typing import Any

import pytest

from bench.budgets import judge, rate_to_offer


def verdict(figures: dict[str, Any], about: str) -> tuple[bool | None, str]:
    """The verdict and the measured text of the only line that begins so."""
    (line,) = [line for line in judge(figures) if line.what.startswith(about)]
    return line.kept, line.measured


def part(**figures: Any) -> dict[str, Any]:
    shares = {"server_busy": 1.0, "postgres_busy": 0.5, "generator_busy": 0.2, "machine_busy": 1.8}
    return {"messages_per_s": 4000.0, "generator_us_per_message": 40.0, **shares, **figures}


@pytest.mark.parametrize(
    ("server_us", "own_us", "kept"),
    [
        (45.0, 12.3, True),
        (46.0, 12.3, False),
        (140.0, 38.8, True),
        (143.0, 38.8, False),
        (45.0, 10.0, True),
        (46.0, 10.0, False),
    ],
)
def test_the_gateway_is_allowed_more_cpu_on_a_slower_machine_only(
    server_us: float, own_us: float, kept: bool
) -> None:
    figures = {
        "ceiling": part(generator_us_per_message=own_us),
        "saturate": part(server_us_per_message=server_us),
    }
    found, measured = verdict(figures, "gateway CPU per message")
    assert found is kept
    assert f"{server_us:.1f} µs" in measured


def test_without_the_ceiling_there_is_no_verdict_on_the_cpu() -> None:
    found, measured = verdict({"saturate": part(server_us_per_message=20.0)}, "gateway CPU per message")
    assert found is None
    assert "20.0 µs" in measured


@pytest.mark.parametrize(("good", "kept"), [(True, True), (False, None)])
def test_a_usual_way_that_broke_down_is_nothing_to_compare_with(good: bool, kept: bool | None) -> None:
    truth = {"good": good, "faults": {}, "lost": 0 if good else 5, "never_ready": 0}
    baseline = part(messages_per_s=100.0, server_us_per_message=4000.0) | truth
    figures = {"baseline": baseline, "saturate": part(server_us_per_message=100.0)}
    assert verdict(figures, "Pilotwire against the usual way")[0] is kept
    assert verdict(figures, "the same by processor time") == (None, "40.0 x")


def test_of_several_rounds_all_are_told() -> None:
    figures = {
        "baseline": part(messages_per_s=100.0, server_us_per_message=10_000.0),
        "saturate": part(
            messages_per_s=3050.0, server_us_per_message=100.0, times_by_round=[28.0, 33.0, 30.5]
        ),
    }
    found, measured = verdict(figures, "Pilotwire against the usual way")
    assert found
    assert measured == "30.5 x, the middle of 28.0, 33.0, 30.5"


@pytest.mark.parametrize(
    ("saturated_per_s", "offered_per_s"),
    [(None, 3000.0), (9000.0, 3000.0), (6000.0, 3000.0), (3890.0, 1940.0), (3.0, 10.0)],
)
def test_no_more_is_offered_than_half_of_what_is_stored_saturated(
    saturated_per_s: float | None, offered_per_s: float
) -> None:
    assert rate_to_offer(saturated_per_s) == offered_per_s


def test_a_scaled_rate_says_so() -> None:
    offered = {"latency_ms": {"p99": 40.0}, "rate_per_s": 1940.0, "stations": 10_000}
    (line,) = judge({"offered": offered})
    assert line.kept
    assert "1,940/s" in line.what
    assert "half of what is stored" in line.budget
