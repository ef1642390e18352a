"""The budgets of the gateway, and the verdict on what was measured."""

from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

RATIO_AT_LEAST: Final = 30.0
# On the machine on which the budget was set, a message cost the load generator 12.3 µs against a server that only
# answers. What a run's machine makes of that message tells how fast it is now (docs/adr/0015-budgets-as-ratios.md).
CPU_US_AT_MOST: Final = 45.0
CPU_REFERENCE_US: Final = 12.3
IDLE_KIB_AT_MOST: Final = 20.0
OFFERED_P99_MS_AT_MOST: Final = 50.0
OFFERED_PER_S: Final = 3000.0
OFFERED_SHARE: Final = 0.5
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
    ceiling = figures.get("ceiling")
    if ceiling:
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
        lines.append(_judge_against(pilotwire, baseline))
        times = baseline["server_us_per_message"] / max(pilotwire["server_us_per_message"], 0.001)
        lines.append(Line("the same by processor time of the two servers", "", f"{times:.1f} x", None))
    if pilotwire:
        lines.append(_judge_cpu(pilotwire["server_us_per_message"], ceiling))
    lines.extend(_judge_many(figures))
    for name, part in figures.items():
        lines.extend(_judge_truth(name, part))
    return lines


def times_the_usual(pilotwire: dict[str, Any], baseline: dict[str, Any]) -> float:
    """Give how many times as many messages Pilotwire stored in a second."""
    ours, usual = pilotwire["messages_per_s"], baseline["messages_per_s"]
    return float(ours / max(usual, 0.001))


def rate_to_offer(saturated_per_s: float | None) -> float:
    """Give the messages per second that part `offered` offers.

    A latency says something of the server only while the server is not saturated: at most half of what the same run
    has shown it to store is offered, so that a slow or busy machine is offered less.
    """
    if saturated_per_s is None or OFFERED_SHARE * saturated_per_s >= OFFERED_PER_S:
        return OFFERED_PER_S
    return max(OFFERED_SHARE * saturated_per_s // 10 * 10, 10.0)


def _judge_against(pilotwire: dict[str, Any], baseline: dict[str, Any]) -> Line:
    """Compare the durable messages; a usual way that broke down under the load is nothing to compare with."""
    what, budget = "Pilotwire against the usual way", f">= {RATIO_AT_LEAST:.0f} x"
    if not baseline.get("good", True):
        return Line(what, budget, "not comparable: the usual way failed under the load", None)
    ratio = times_the_usual(pilotwire, baseline)
    rounds = pilotwire.get("times_by_round", ())
    among = f", the middle of {', '.join(f'{each:.1f}' for each in rounds)}" if len(rounds) > 1 else ""
    return Line(what, budget, f"{ratio:.1f} x{among}", ratio >= RATIO_AT_LEAST)


def _judge_cpu(each_us: float, ceiling: dict[str, Any] | None) -> Line:
    """Compare the gateway's CPU per message with its budget: more on a machine that is slower than that of the budget."""
    what = "gateway CPU per message"
    if ceiling is None:
        return Line(what, "", f"{each_us:.1f} µs; compared with part ceiling only", None)
    own_us = ceiling["generator_us_per_message"]
    slower = max(own_us / CPU_REFERENCE_US, 1.0)
    at_most = CPU_US_AT_MOST * slower
    budget = f"<= {at_most:.0f} µs"
    if slower > 1:
        budget += f" ({CPU_US_AT_MOST:.0f} µs where the generator needs {CPU_REFERENCE_US} µs)"
    measured = f"{each_us:.1f} µs, {each_us / max(own_us, 0.001):.2f} x the generator's {own_us:.1f} µs"
    return Line(what, budget, measured, each_us <= at_most)


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
        if offered["rate_per_s"] < OFFERED_PER_S:
            budget += f" (at {OFFERED_PER_S:,.0f}/s, or half of what is stored saturated)"
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


def show(console: Console, lines: list[Line], title: str = "Gateway") -> None:
    """Print the lines as a table."""
    table = Table(title=title, title_justify="left")
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
