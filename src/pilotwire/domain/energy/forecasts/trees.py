"""Boosted trees as plain arrays: what a library has fitted is kept and read without that library."""

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["Ensemble", "evaluate"]

Floats = NDArray[np.float64]


class Ensemble(msgspec.Struct, frozen=True):
    """The nodes of all trees of one quantile, one after the other.

    A row goes left where its feature is at most the threshold, or is missing and `missing_left` says so; `left` and `right`
    are places in these arrays, and a leaf is its own successor. The prediction is `base` plus the leaf's value of each tree.
    Kept as little-endian bytes: `feature` int32, `threshold` and `value` float64, `left` and `right` int32, `missing_left`
    uint8, `roots` int32.
    """

    base: float
    depth: int
    feature: bytes
    threshold: bytes
    value: bytes
    left: bytes
    right: bytes
    missing_left: bytes
    roots: bytes


def evaluate(ensemble: Ensemble, rows: Floats) -> Floats:
    """Give the prediction for each row. Shapes: rows (N, F), NaN where a feature is missing; result (N,)."""
    feature = np.frombuffer(ensemble.feature, "<i4")
    threshold = np.frombuffer(ensemble.threshold, "<f8")
    left, right = np.frombuffer(ensemble.left, "<i4"), np.frombuffer(ensemble.right, "<i4")
    missing_left = np.frombuffer(ensemble.missing_left, "u1").astype(bool)
    value = np.frombuffer(ensemble.value, "<f8")
    roots = np.frombuffer(ensemble.roots, "<i4")
    at = np.broadcast_to(roots, (len(rows), len(roots)))
    number = np.arange(len(rows))[:, None]
    for _ in range(ensemble.depth):
        seen = rows[number, feature[at]]
        goes_left = np.where(np.isnan(seen), missing_left[at], seen <= threshold[at])
        at = np.where(goes_left, left[at], right[at])
    total: Floats = ensemble.base + value[at].sum(axis=1)
    return total
