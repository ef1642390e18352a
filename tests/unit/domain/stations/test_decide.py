"""What a station's messages about itself lead to."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.domain.stations.answers import ACKNOWLEDGED
from pilotwire.domain.stations.decide import (
    BootPolicy,
    decide_boot,
    decide_charging_state,
    decide_progress,
    decide_report,
    decide_security_event,
    decide_status,
)
from pilotwire.domain.stations.messages import (
    ConnectorStatusReported,
    FirmwareProgressed,
    LogProgressed,
    ReportReceived,
    SecurityEventReported,
    StationBooted,
)
from pilotwire.domain.stations.model import Admission, ConnectorStatus, StationRecord, summarise_status
from pilotwire.domain.stations.records import ConnectorStatusChanged
from pilotwire.domain.stations.view import StationView

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
S = ConnectorStatus


def station(admission: Admission = Admission.ACCEPTED) -> StationView:
    return StationView(
        StationRecord(7, 1, "CP7", admission, b"", None, 1, None, "", "", "", {}, enrolled=False)
    )


def reports(
    view: StationView,
    status: ConnectorStatus,
    at: datetime | None = NOW,
    now: datetime = NOW,
    key: tuple[int, int] = (1, 1),
) -> ConnectorStatusChanged:
    message = ConnectorStatusReported(*key, status, status.value, at)
    answer, (record,) = decide_status(view, message, now)
    assert answer is ACKNOWLEDGED
    assert isinstance(record, ConnectorStatusChanged)
    return record


def shown(view: StationView, key: tuple[int, int] = (1, 1)) -> ConnectorStatus:
    return view.connectors[key].status


# ---- boot --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("admission", list(Admission))
def test_a_boot_is_answered_by_the_admission(admission: Admission) -> None:
    view = station(admission)
    policy = BootPolicy(300, 30, 600, 0.1)
    answer, (kept,) = decide_boot(
        view, StationBooted("Acme", "M1", "S", "1.0", reason="PowerUp"), NOW, policy
    )
    assert (answer.admission, answer.now) == (admission, NOW)
    low, high = {Admission.ACCEPTED: (270, 330), Admission.PENDING: (30, 30), Admission.REJECTED: (600, 600)}[
        admission
    ]
    assert low <= answer.interval_s <= high
    assert (kept.vendor, kept.model, kept.reason, kept.admission) == (
        "Acme",
        "M1",
        "PowerUp",
        admission.value,
    )
    assert (view.vendor, view.model, view.firmware_version) == ("Acme", "M1", "1.0")
    assert (view.booted_at is not None) == (admission is Admission.ACCEPTED)


@given(st.integers(1, 86400), st.floats(0, 0.5))
def test_heartbeats_are_spread_and_never_zero(base: int, spread: float) -> None:
    answer, _ = decide_boot(station(), StationBooted("A", "B"), NOW, BootPolicy(base, spread=spread))
    assert max(1, base * (1 - spread) - 1) <= answer.interval_s <= base * (1 + spread) + 1


def test_two_stations_do_not_beat_in_step() -> None:
    given_s = {
        decide_boot(station(), StationBooted("A", "B"), NOW, BootPolicy())[0].interval_s for _ in range(50)
    }
    assert len(given_s) > 5


def test_a_boot_leaves_the_connectors_alone() -> None:
    view = station()
    reports(view, S.CHARGING)
    decide_boot(view, StationBooted("A", "B"), NOW, BootPolicy())
    assert shown(view) is S.CHARGING


# ---- status ------------------------------------------------------------------------------------------------


def test_a_late_available_is_history() -> None:
    view = station()
    assert reports(view, S.CHARGING, NOW).current
    late = reports(view, S.AVAILABLE, NOW - timedelta(minutes=5))
    assert not late.current
    assert late.status_at == NOW - timedelta(minutes=5)
    assert shown(view) is S.CHARGING
    assert reports(view, S.FINISHING, NOW).current  # the same moment is no older one


def test_a_clock_that_was_set_back_is_believed() -> None:
    view = station()
    reports(view, S.CHARGING, NOW)
    assert reports(view, S.AVAILABLE, NOW - timedelta(days=365)).current


def test_a_clock_that_was_ahead_does_not_freeze_the_state() -> None:
    view = station()
    ahead = reports(view, S.PREPARING, NOW + timedelta(hours=2))  # local time marked Z
    assert ahead.current
    right = reports(view, S.CHARGING, NOW + timedelta(seconds=10), NOW + timedelta(seconds=10))
    assert right.current
    assert shown(view) is S.CHARGING


def test_a_state_from_the_future_that_was_read_from_the_database_does_not_freeze_it_either() -> None:
    view = station()
    reports(view, S.PREPARING, NOW + timedelta(hours=2), NOW + timedelta(hours=2))
    assert reports(view, S.CHARGING, NOW).current


@given(
    st.permutations(
        [
            (minutes, status)
            for minutes, status in enumerate([S.PREPARING, S.CHARGING, S.FINISHING, S.AVAILABLE])
        ]
    )
)
def test_the_newest_state_wins_in_any_order(order: list[tuple[int, ConnectorStatus]]) -> None:
    view = station()
    for minutes, status in order:
        reports(view, status, NOW - timedelta(minutes=10 - minutes))
    assert shown(view) is S.AVAILABLE


def test_connectors_are_apart_and_a_missing_time_is_now() -> None:
    view = station()
    assert reports(view, S.FAULTED, None, key=(2, 1)).status_at == NOW
    reports(view, S.AVAILABLE, key=(0, 0))
    assert (shown(view, (2, 1)), shown(view, (0, 0))) == (S.FAULTED, S.AVAILABLE)


# ---- what a session says of its connector ------------------------------------------------------------------


def test_an_occupied_connector_does_what_its_session_says() -> None:
    view = station()
    reports(view, S.OCCUPIED)
    (record,) = decide_charging_state(view, 1, 1, "Charging", NOW, NOW)
    assert record.status == "charging"
    assert reports(view, S.OCCUPIED).status == "charging"
    assert decide_charging_state(view, 1, None, "Charging", NOW, NOW) == []
    (record,) = decide_charging_state(view, 1, None, None, NOW, NOW)
    assert (record.status, shown(view)) == ("occupied", S.OCCUPIED)


@pytest.mark.parametrize("status", [S.AVAILABLE, S.FAULTED, S.RESERVED, S.UNAVAILABLE])
def test_a_session_does_not_plug_in_a_connector(status: ConnectorStatus) -> None:
    view = station()
    reports(view, status)
    assert decide_charging_state(view, 1, 1, "Charging", NOW, NOW) == []
    assert decide_charging_state(view, 2, 1, "Charging", NOW, NOW) == []
    assert shown(view) is status


# ---- reports, progress, security ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b'{"a":[1,{"b":"c"}]}', {"a": [1, {"b": "c"}]}),
        (b'{"a\\u0000":["x\\u0000y",1]}', {"a": ["xy", 1]}),
        ('{"a":"ü"}'.encode(), {"a": "ü"}),
        (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
    ],
)
def test_a_report_is_kept_as_the_database_takes_it(content: bytes, kept: Any) -> None:
    _, (record,) = decide_report(station(), ReportReceived("NotifyEvent", content), NOW)
    assert (record.kind, json.loads(record.content)) == ("NotifyEvent", kept)
    assert "\0" not in json.loads(record.content).__str__()


@pytest.mark.parametrize(
    "content", [b'{"a":"\xff"}', b'{"a":', b'{"a":"\x01\x00"}', b'{"a":"\\ud800"}', b"[" * 9000, b""]
)
def test_a_report_that_is_no_json_is_kept_as_text(content: bytes) -> None:
    _, (record,) = decide_report(station(), ReportReceived("NotifyEvent", content), NOW)
    assert json.loads(record.content).keys() == {"unreadable"}
    assert "\\u0000" not in record.content


def test_progress_and_security_events_are_kept() -> None:
    for message, subject in (
        (FirmwareProgressed("Installed", 3), "firmware"),
        (LogProgressed("Uploaded"), "log"),
    ):
        answer, (record,) = decide_progress(station(), message)
        assert answer is ACKNOWLEDGED
        assert (record.subject, record.status, record.identity) == (subject, message.status, "CP7")
    _, (record,) = decide_security_event(
        station(), SecurityEventReported("TamperDetectionActivated", NOW, "lid"), NOW
    )
    assert (record.type, record.technical_info, record.station_id) == ("TamperDetectionActivated", "lid", 7)


@pytest.mark.parametrize(
    ("statuses", "word"),
    [
        ([], "unknown"),
        (["available", "charging"], "charging"),
        (["available", "faulted", "charging"], "faulted"),
        (["unavailable", "available"], "available"),
        (["unheard_of"], "unknown"),
    ],
)
def test_a_station_is_summed_up_in_one_word(statuses: list[str], word: str) -> None:
    assert summarise_status(True, statuses) == word
    assert summarise_status(False, statuses) == "offline"
