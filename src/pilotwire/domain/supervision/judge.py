"""Whether a session that looks over is over: pure rules. First the station is asked, then patience, then an end."""

from datetime import datetime, timedelta

from pilotwire.domain.supervision.model import Ask, Case, Cause, Report, Rules, Said, Settle

__all__ = ["judge_session", "suspect"]

_IN_USE = frozenset({"charging", "suspended_ev", "suspended_evse", "occupied", "preparing", "finishing"})


def judge_session(case: Case, rules: Rules, now: datetime) -> Ask | Settle | Report | None:
    """Say what is to be done about an open session, None when nothing is odd or more time is to pass."""
    found = suspect(case, rules, now)
    if found is None:
        return None
    cause, since = found
    if cause is Cause.STATION_GONE:
        return _settled(case, rules, cause)
    if not case.connected:
        return None  # it may come back and tell
    said = case.said if case.asked_at is not None and case.asked_at >= since else None
    if said is Said.OVER:
        return _settled(case, rules, Cause.STATION_SAYS_OVER, cause)
    if said is None or (now - _moment(case.asked_at)).total_seconds() >= rules.patience_s:
        waited = said is Said.NOTHING and _patience_is_over(case, cause, since, rules, now)
        waited = waited and not (cause is Cause.SILENT and _in_use(case))
        return _settled(case, rules, cause) if waited else Ask(cause)
    if cause is Cause.OVER_LONG:
        return None if case.reported is cause else Report(cause)
    if cause is Cause.SILENT and _in_use(case):
        return None  # some stations say nothing between start and stop
    if said is Said.NOTHING and _patience_is_over(case, cause, since, rules, now):
        return _settled(case, rules, cause)
    return None if case.reported is not None else Report(cause)


def suspect(case: Case, rules: Rules, now: datetime) -> tuple[Cause, datetime] | None:
    """Say why a session looks over, and since when; None when it does not."""
    newer = case.newer
    if newer is not None and _since(newer.received_at, now) >= rules.free_after_s:
        return Cause.SUPERSEDED, newer.received_at
    away_since = (
        None if case.connected else max(case.away_since or case.last_received_at, case.last_received_at)
    )
    if away_since is not None and _since(away_since, now) >= rules.gone_after_s:
        return Cause.STATION_GONE, away_since
    if _is_free(case) and case.status_received_at is not None:
        if _since(case.status_received_at, now) >= rules.free_after_s:
            return Cause.CONNECTOR_FREE, case.status_received_at
        return None
    long_since = case.first_received_at + timedelta(seconds=rules.longest_s)
    if now >= long_since:
        return Cause.OVER_LONG, long_since
    silent_since = case.last_received_at + timedelta(seconds=rules.silent_after_s)
    return (Cause.SILENT, silent_since) if now >= silent_since else None


def _in_use(case: Case) -> bool:
    return case.status is None or case.status in _IN_USE


def _is_free(case: Case) -> bool:
    """Whether the connector is free, and nothing has flowed since: some stations report a free one's meter."""
    at = case.status_at
    if case.status != "available" or at is None or at <= (case.facts.started_at or case.facts.first_at):
        return False
    rise, powered_at = case.facts.rise, case.facts.powered_at
    return (rise is None or rise[1] <= at) and (powered_at is None or powered_at <= at)


def _patience_is_over(case: Case, cause: Cause, since: datetime, rules: Rules, now: datetime) -> bool:
    if cause is Cause.OVER_LONG:
        return _since(case.last_received_at, now) >= rules.gone_after_s
    return _since(since, now) >= rules.patience_s


def _settled(case: Case, rules: Rules, cause: Cause, behind: Cause | None = None) -> Settle | Report | None:
    if not rules.settle:
        return None if case.reported is not None else Report(cause)
    behind = behind or cause
    at = case.status_at if behind is Cause.CONNECTOR_FREE else None
    meter_end_wh = None
    if behind is Cause.SUPERSEDED and case.newer is not None and case.facts.last_meter is None:
        # The only witness of what it took is the register that the next one began with.
        start, end = case.facts.meter_start_wh, case.newer.meter_start_wh
        meter_end_wh = end if start is not None and end is not None and end >= start else None
    return Settle(cause, at, meter_end_wh)


def _since(moment: datetime, now: datetime) -> float:
    return (now - moment).total_seconds()


def _moment(moment: datetime | None) -> datetime:
    assert moment is not None  # noqa: S101 - who has said something was asked
    return moment
