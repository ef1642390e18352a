"""What machines ask: is it alive, is it ready, how much does it do?"""

import asyncio
from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pilotwire.db.durability import find_risks
from pilotwire.db.engine import Database
from pilotwire.web.auth import Services
from pilotwire.web.services import Measure

__all__ = ["make_registry", "metrics_route", "router"]

router = APIRouter(tags=["operations"])

_PATIENCE_S = 2.0


class _Measures(Collector):
    """Reads every measure when Prometheus asks."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._measures = measures

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        for measure in self._measures:
            family = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
            labels = [measure.label] if measure.label else []
            metric = family(f"pilotwire_{measure.name}", measure.help, labels=labels)
            value = measure.read()
            if isinstance(value, (int, float)):
                metric.add_metric([], value)
            else:
                for name, figure in value.items():
                    metric.add_metric([name], figure)
            yield metric


def make_registry(measures: Sequence[Measure]) -> CollectorRegistry:
    """Make the registry of one application: its measures, and those of the process."""
    registry = CollectorRegistry()
    registry.register(_Measures(measures))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@router.get("/health/live")
async def is_alive() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive"}


@router.get("/health/ready", responses={503: {"description": "Not ready."}})
async def is_ready(services: Services) -> JSONResponse:
    """Say whether everything that is needed works, and what does not."""
    # Warnings name settings of the database that could lose messages: it works, and somebody should know.
    queries, warnings = await _database_state(services.db)
    components = {**services.health(), "queries": queries}
    ready = all(state == "ok" for state in components.values())
    return JSONResponse(
        {"status": "ready" if ready else "not_ready", "components": components, "warnings": warnings},
        200 if ready else 503,
    )


async def _database_state(db: Database) -> tuple[str, list[str]]:
    try:
        async with asyncio.timeout(_PATIENCE_S), db.system() as connection:
            return "ok", await find_risks(connection, db.dsn)
    except Exception:
        return "does not answer", []


def metrics_route(registry: CollectorRegistry) -> APIRouter:
    """Make the address from which Prometheus reads."""
    route = APIRouter(tags=["operations"])

    @route.get("/metrics", responses={200: {"content": {"text/plain": {}}}}, response_class=Response)
    async def get_metrics() -> Response:
        """Give the measures in Prometheus' format; nothing in them tells who is connected."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return route
