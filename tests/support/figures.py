"""What a quality test is handed to tell its figures."""

from typing import Protocol

# `make quality` names a file in this variable and makes a table of what is in it.
VARIABLE = "WIREROOM_TEST_FIGURES"


class Figure(Protocol):
    """Keeps a figure, and fails the test where it is below its floor."""

    def __call__(
        self, name: str, value: float, *, floor: float | None = None
    ) -> None: ...
