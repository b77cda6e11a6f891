"""A table of whole numbers whose equal rows stand in memory once."""

from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS = 1 << 16  # are worked on at once, which takes two megabytes


class SharedRows:
    """Rows of small numbers, most of which are zero or equal to other rows."""

    def __init__(self, rows: NDArray[np.int16], numbers: NDArray[np.uint32]) -> None:
        """Take the different rows, and for each row of the table its number there."""
        self._rows = rows
        self._numbers = numbers

    @classmethod
    def from_columns(cls, columns: Iterable[NDArray[np.int16]], n_rows: int) -> Self:
        """Make a table of its columns, each of which is needed for a moment only.

        Rows are told apart column by column: those equal so far that have the same
        number there, and not zero, move to a row of their own.
        """
        rows = np.zeros((1, 0), np.int16)
        numbers = np.zeros(n_rows, np.uint32)
        for column in columns:
            blocks = _pairs(numbers, column)
            kinds = np.unique(np.hstack([np.unique(pairs) for *_, pairs in blocks]))
            for block, told, pairs in _pairs(numbers, column):
                block[told] = len(rows) + np.searchsorted(kinds, pairs)
            last = (kinds & 0xFFFF).astype(np.uint16).view(np.int16)
            apart = np.column_stack([rows[kinds >> 16], last])
            rows = np.vstack([np.pad(rows, ((0, 0), (0, 1))), apart])
            rows, numbers = _renumber(rows, numbers)
        return cls(rows, numbers)

    def __getitem__(self, wanted: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return these rows of the table."""
        return self._rows[self._numbers[wanted]]


def _pairs(
    numbers: NDArray[np.uint32], column: NDArray[np.int16]
) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield stretches of the numbers, and where in each the column is not zero.

    With each such place comes, in one number, its number and what the column has.
    """
    for start in range(0, len(column), _BLOCK_ROWS):
        block = numbers[start : start + _BLOCK_ROWS]
        beside = column[start : start + _BLOCK_ROWS]
        (told,) = np.nonzero(beside)
        pairs = block[told].astype(np.int64) << 16
        yield block, told, pairs | beside[told].view(np.uint16)


def _renumber(
    rows: NDArray[np.int16], numbers: NDArray[np.uint32]
) -> tuple[NDArray[np.int16], NDArray[np.uint32]]:
    """Drop rows that no number means any more."""
    used = np.zeros(len(rows), np.bool_)
    used[numbers] = True
    renumbered = np.cumsum(used, dtype=np.uint32) - np.uint32(1)
    return rows[used], renumbered[numbers]
