"""Token buckets, guesses and counts."""

from hypothesis import given
from hypothesis import strategies as st

from pilotwire.ocpp.gateway.limits import AttemptLimiter, BucketTable, Census, Limits


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    table = BucketTable[str](per_s=2.0, burst=3, capacity=10)
    assert [table.take("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert table.take("a", 0.5) == 0.0
    assert table.take("a", 0.5) > 0
    assert table.take("b", 0.5) == 0.0


def test_waiting_takes_nothing() -> None:
    table = BucketTable[str](per_s=1.0, burst=1, capacity=10)
    assert [table.wait_s("a", 0.0) for _ in range(5)] == [0.0] * 5
    assert table.take("a", 0.0) == 0.0
    assert table.wait_s("a", 0.25) == 0.75


@given(st.lists(st.floats(0, 3), max_size=200), st.integers(1, 10), st.floats(0.1, 20))
def test_never_more_than_burst_plus_rate(gaps: list[float], burst: int, per_s: float) -> None:
    table = BucketTable[str](per_s, burst, 10)
    now, given_at = 0.0, []
    for gap in gaps:
        now += gap
        if table.take("a", now) == 0.0:
            given_at.append(now)
    for index, start in enumerate(given_at):
        for count, end in enumerate(given_at[index:], start=1):
            assert count <= burst + (end - start) * per_s + 1e-6


def test_the_table_is_bounded_and_keeps_the_key_under_attack() -> None:
    table = BucketTable[str](per_s=0.01, burst=1, capacity=100)
    assert table.take("victim", 0.0) == 0.0
    for number in range(1000):
        table.take(f"noise{number}", 1.0)
        assert table.take("victim", 1.0) > 0
    assert len(table) == 100


def evaluated(limiter: AttemptLimiter, address: str, at: float, identity: str = "CP-1") -> bool:
    """One wrong guess; tells whether it was looked at."""
    if limiter.wait_s([identity], address, at) > 0:
        return False
    limiter.failed([identity], address, at)
    return True


def test_ten_thousand_guesses_a_minute_get_at_most_ten_looks() -> None:
    limiter = AttemptLimiter(Limits())
    looks = [n for n in range(30_000) if evaluated(limiter, f"10.0.{n % 250}.9", n * 0.006)]
    times = [n * 0.006 for n in looks]
    assert max(sum(1 for t in times if start <= t < start + 60) for start in times) <= 10


def test_a_known_address_is_not_held_up_by_strangers() -> None:
    limiter = AttemptLimiter(Limits())
    limiter.remember("CP-1", "192.0.2.1", 0.0)
    for n in range(1000):
        evaluated(limiter, f"198.51.100.{n % 200}", 1.0)
    assert limiter.wait_s(["CP-1"], "203.0.113.5", 1.0) > 0
    assert limiter.wait_s(["CP-1", "cp-1"], "192.0.2.1", 1.0) == 0


def test_a_known_address_has_a_budget_too() -> None:
    limiter = AttemptLimiter(Limits(guesses_burst_known_address=4))
    limiter.remember("CP-1", "192.0.2.1", 0.0)
    assert sum(evaluated(limiter, "192.0.2.1", 1.0) for _ in range(50)) == 4
    # which is not at the cost of others
    assert limiter.wait_s(["CP-1"], "198.51.100.1", 1.0) == 0


def test_one_stranger_leaves_something_for_the_next() -> None:
    limiter = AttemptLimiter(Limits())
    assert sum(evaluated(limiter, "198.51.100.1", 1.0) for _ in range(50)) == 3
    assert evaluated(limiter, "198.51.100.2", 1.0)


def test_other_spellings_of_the_path_share_the_budget() -> None:
    limiter = AttemptLimiter(Limits())
    looks = 0
    for n in range(50):
        names = [f"x{n}", "cP-1", f"x{n}/cP-1"]
        if limiter.wait_s(names, f"10.0.0.{n}", 1.0) == 0:
            limiter.failed(names, f"10.0.0.{n}", 1.0)
            looks += 1
    assert looks == 5


def test_an_owner_of_one_station_gets_no_extra_guesses_at_another() -> None:
    limiter = AttemptLimiter(Limits())
    limiter.remember("MINE", "198.51.100.1", 0.0)
    looks = 0
    for _ in range(50):
        if limiter.wait_s(["MINE", "CP-1"], "198.51.100.1", 1.0) == 0:
            limiter.failed(["MINE", "CP-1"], "198.51.100.1", 1.0)
            looks += 1
    assert looks == 3


def test_success_is_forgotten_in_time_and_kept_for_few_addresses() -> None:
    limiter = AttemptLimiter(Limits(success_memory_s=100.0, guesses_burst_per_pair=1))
    for n in range(6):
        limiter.remember("CP-1", f"192.0.2.{n}", float(n))
    for n in range(6):
        limiter.failed(["CP-1"], f"192.0.2.{n}", 10.0)
    assert limiter.wait_s(["CP-1"], "192.0.2.0", 10.0) > 0
    assert limiter.wait_s(["CP-1"], "192.0.2.5", 10.0) == 0
    for _ in range(20):
        limiter.failed(["CP-1"], "198.51.100.1", 200.0)
    assert limiter.wait_s(["CP-1"], "192.0.2.5", 200.0) > 0


def test_the_census_counts_in_and_out() -> None:
    census = Census(max_total=3, max_per_address=2)
    census.enter("a")
    census.enter("a")
    assert not census.has_room("a")
    assert census.has_room("b")
    census.enter("b")
    assert not census.has_room("c")
    census.leave("a")
    assert census.has_room("a")
    assert census.total == 2
