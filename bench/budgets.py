"""The budgets of the gateway, and the verdict on what was measured."""

from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

RATIO_AT_LEAST: Final = 30.0
CPU_US_AT_MOST: Final = 45.0
IDLE_KIB_AT_MOST: Final = 20.0
OFFERED_P99_MS_AT_MOST: Final = 50.0
STORM_S_AT_MOST: Final = 30.0


@dataclass(frozen=True)
class Line:
    """One line of the report; `kept` is None for a figure without a budget."""

    what: str
    budget: str
    measured: str
    kept: bool | None


def judge(figures: dict[str, Any]) -> list[Line]:
    """Compare the figures of the parts that ran with their budgets."""
    lines: list[Line] = []
    if ceiling := figures.get("ceiling"):
        own = f"{ceiling['messages_per_s']:,.0f}/s, {ceiling['generator_us_per_message']:.1f} µs each"
        lines.append(Line("load generator alone, against a null server", "", own, None))
    baseline, pilotwire = figures.get("baseline"), figures.get("saturate")
    if baseline:
        usual = f"{baseline['messages_per_s']:,.0f}/s, {baseline['server_us_per_message']:,.0f} µs each"
        lines.append(Line("durable messages, the usual way", "", usual, None))
        lines.append(Line("cores busy with the usual way", "", _cores(baseline), None))
    if pilotwire:
        ours = f"{pilotwire['messages_per_s']:,.0f}/s"
        lines.append(Line("durable messages, Pilotwire", "", ours, None))
        lines.append(Line("cores busy with Pilotwire", "", _cores(pilotwire), None))
    if baseline and pilotwire:
        ratio = pilotwire["messages_per_s"] / max(baseline["messages_per_s"], 0.001)
        lines.append(
            Line(
                "Pilotwire against the usual way",
                f">= {RATIO_AT_LEAST:.0f} x",
                f"{ratio:.1f} x",
                ratio >= RATIO_AT_LEAST,
            )
        )
    if pilotwire:
        each_us = pilotwire["server_us_per_message"]
        lines.append(
            Line(
                "gateway CPU per message",
                f"<= {CPU_US_AT_MOST:.0f} µs",
                f"{each_us:.1f} µs",
                each_us <= CPU_US_AT_MOST,
            )
        )
    lines.extend(_judge_many(figures))
    for name, part in figures.items():
        lines.extend(_judge_truth(name, part))
    return lines


def _cores(part: dict[str, Any]) -> str:
    """Tell who kept the cores busy; what others took disturbed the measurement."""
    shares = {
        "server": part["server_busy"],
        "PostgreSQL": part["postgres_busy"],
        "load": part["generator_busy"],
    }
    shares["others"] = max(part["machine_busy"] - sum(shares.values()), 0.0)
    return ", ".join(f"{name} {share:.2f}" for name, share in shares.items())


def _judge_many(figures: dict[str, Any]) -> list[Line]:
    lines: list[Line] = []
    if offered := figures.get("offered"):
        p99 = offered["latency_ms"].get("p99", float("inf"))
        what = f"p99 at {offered['rate_per_s']:,.0f}/s over {offered['stations']:,} stations"
        spread = ", ".join(f"{name} {value:.1f}" for name, value in offered["latency_ms"].items())
        budget = f"< {OFFERED_P99_MS_AT_MOST:.0f} ms"
        lines.append(Line(what, budget, f"{p99:.1f} ms ({spread})", p99 < OFFERED_P99_MS_AT_MOST))
    if storm := figures.get("storm"):
        what = f"{storm['stations']:,} stations reconnect and boot"
        kept = storm["seconds"] < STORM_S_AT_MOST and storm["never_ready"] == 0
        lines.append(Line(what, f"< {STORM_S_AT_MOST:.0f} s", f"{storm['seconds']:.1f} s", kept))
    if idle := figures.get("idle"):
        each = idle["kib_per_connection"]
        what = f"memory per idle connection ({idle['counted']:,} of them)"
        lines.append(
            Line(what, f"<= {IDLE_KIB_AT_MOST:.0f} KiB", f"{each:.1f} KiB", each <= IDLE_KIB_AT_MOST)
        )
    return lines


def _judge_truth(name: str, part: dict[str, Any]) -> list[Line]:
    """Tell whether every answer was right and every answered message is in the database."""
    lines = []
    if "good" in part:
        faults = sum(part["faults"].values()) + part["lost"] + part["never_ready"]
        lines.append(Line(f"{name}: wrong, refused or lost answers", "0", f"{faults:,}", faults == 0))
    if "stored" in part:
        missing = max(part["answered_total"] - part["stored"], 0)
        measured = f"{missing:,} of {part['answered_total']:,}"
        lines.append(Line(f"{name}: answered but not in the database", "0", measured, missing == 0))
    return lines


def show(console: Console, lines: list[Line]) -> None:
    """Print the lines as a table."""
    table = Table(title="Gateway", title_justify="left")
    for heading, justify in (
        ("what", "left"),
        ("budget", "right"),
        ("measured", "right"),
        ("verdict", "left"),
    ):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for line in lines:
        verdict = "" if line.kept is None else "[green]kept[/]" if line.kept else "[bold red]MISSED[/]"
        table.add_row(line.what, line.budget, line.measured, verdict)
    console.print(table)
