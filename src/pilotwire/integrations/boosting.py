"""Fits the models of sites in a process of its own: the library is large, and its memory goes when the process ends.

`python -m pilotwire.integrations.boosting` reads the past of one site after another from standard input and writes the
models to standard output, each as a length of four bytes and MessagePack.
"""

import asyncio
import os
import struct
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, BinaryIO

import msgspec
import numpy as np
import structlog

from pilotwire.domain.energy.forecasts.fitting import fit_site
from pilotwire.domain.energy.forecasts.shapes import Model, SitePast
from pilotwire.domain.energy.forecasts.trees import Ensemble, Floats, evaluate

log = structlog.get_logger(__name__)

__all__ = ["Fitter", "TreeBooster", "main"]

_LENGTH = struct.Struct(">I")
_NICENESS = 10
_PATIENCE_S = 900.0
_NODES = {
    "feature": ("feature_idx", "<i4"),
    "threshold": ("num_threshold", "<f8"),
    "value": ("value", "<f8"),
    "missing_left": ("missing_go_to_left", "u1"),
}


class TreeBooster:
    """Histogram gradient boosting of scikit-learn, which is imported when it is needed first: that takes seconds."""

    def __init__(self) -> None:
        self._make: Any = None

    def fit(self, rows: Floats, values: Floats, quantiles: Sequence[float]) -> list[Ensemble]:
        """Fit one ensemble for each quantile. Raises: ValueError where the trees cannot be taken out of the library."""
        if self._make is None:
            from sklearn.ensemble import HistGradientBoostingRegressor

            self._make = HistGradientBoostingRegressor
        return [self._fit(rows, values, quantile) for quantile in quantiles]

    def _fit(self, rows: Floats, values: Floats, quantile: float) -> Ensemble:
        fitted = self._make(
            loss="quantile",
            quantile=quantile,
            learning_rate=0.08,
            max_iter=80,
            max_leaf_nodes=8,
            min_samples_leaf=max(5, min(20, len(values) // 20)),
            l2_regularization=1.0,
            early_stopping=False,
            random_state=1,
        ).fit(rows, values)
        ensemble = _taken_out(fitted)
        # The trees are read from where the library keeps them by itself: believed only if they say the same as it does.
        if not np.allclose(evaluate(ensemble, rows), fitted.predict(rows), rtol=1e-9, atol=1e-9):
            raise ValueError("this version of scikit-learn keeps its trees in another way")
        return ensemble


def _taken_out(fitted: Any) -> Ensemble:
    trees = [stage[0].nodes for stage in fitted._predictors]
    starts = np.cumsum([0, *(len(tree) for tree in trees)])[:-1]
    nodes = np.concatenate(trees)
    offset = np.repeat(starts, [len(tree) for tree in trees])
    leaf = nodes["is_leaf"].astype(bool)
    own = np.arange(len(nodes))
    parts = {name: nodes[column].astype(kind) for name, (column, kind) in _NODES.items()}
    parts["value"] = np.where(leaf, parts["value"], 0.0)
    for side in ("left", "right"):
        parts[side] = np.where(leaf, own, nodes[side] + offset).astype("<i4")
    parts["feature"] = np.where(leaf, 0, parts["feature"]).astype("<i4")
    return Ensemble(
        base=float(np.ravel(fitted._baseline_prediction)[0]),
        depth=int(nodes["depth"].max()) if len(nodes) else 0,
        roots=starts.astype("<i4").tobytes(),
        **{name: values.tobytes() for name, values in parts.items()},
    )


class Fitter:
    """Has the models of sites fitted by a process of its own, at a low priority."""

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s

    async def fit(self, pasts: AsyncIterator[SitePast]) -> AsyncGenerator[list[Model], None]:
        """Give the models of one site after the other, in their order.

        Raises: RuntimeError where the process fails, with what it said last.
        """
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        told = asyncio.create_task(process.stderr.read())
        try:
            async for past in pasts:
                content = msgspec.msgpack.encode(past)
                try:
                    async with asyncio.timeout(self._patience_s):
                        process.stdin.write(_LENGTH.pack(len(content)) + content)
                        await process.stdin.drain()
                        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
                        answer = await process.stdout.readexactly(length)
                except (asyncio.IncompleteReadError, ConnectionError) as error:
                    words = (await told).decode(errors="replace").strip()
                    raise RuntimeError(f"models could not be fitted: {words[-300:]}") from error
                yield msgspec.msgpack.decode(answer, type=list[Model])
            process.stdin.close()
            async with asyncio.timeout(self._patience_s):
                words = (await told).decode(errors="replace").strip()
            if words:
                log.warning("fitting models was not without trouble", said=words[-500:])
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await told


def main() -> None:
    """Fit what comes in until there is no more."""
    os.nice(_NICENESS)
    booster = TreeBooster()
    read, write = sys.stdin.buffer, sys.stdout.buffer
    while (head := read.read(_LENGTH.size)) and len(head) == _LENGTH.size:
        past = msgspec.msgpack.decode(_exactly(read, _LENGTH.unpack(head)[0]), type=SitePast)
        content = msgspec.msgpack.encode(_models(past, booster))
        write.write(_LENGTH.pack(len(content)) + content)
        write.flush()


def _models(past: SitePast, booster: TreeBooster) -> list[Model]:
    try:
        return fit_site(past, booster)
    except (ImportError, ValueError, AttributeError) as error:
        print(f"no trees could be fitted, plain models go on: {error}", file=sys.stderr)  # noqa: T201 - for the log
        return fit_site(past, None)


def _exactly(read: BinaryIO, length: int) -> bytes:
    content = read.read(length)
    if len(content) != length:
        raise EOFError("the past of a site came to an end in the middle")
    return content


if __name__ == "__main__":
    main()
