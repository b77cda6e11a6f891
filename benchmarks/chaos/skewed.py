"""Runs the program with a clock that is off; the first argument says by how much.

Moves `time.time` and `datetime.now` for this process and all that it forks, before any
other module is loaded; clocks that only count on are left alone.
"""

import ctypes
import gc
import sys
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any

PROGRAM = "services.cli"


def main(arguments: list[str]) -> None:
    """Move the clock by the seconds in the first argument; run the program."""
    shift(float(arguments[1]))
    sys.argv = [PROGRAM, *arguments[2:]]
    from benchmarks.chaos import poisoned  # noqa: PLC0415  # after the change

    poisoned.main()


def shift(seconds: float) -> None:
    """Let this process live in another moment; there is no way back."""
    real_time, real_now, by = time.time, datetime.now, timedelta(seconds=seconds)

    def moved_time() -> float:
        return real_time() + seconds

    def moved_now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        del cls
        return real_now(tz) + by

    time.time = moved_time
    replace_method(datetime, "now", classmethod(moved_now))


def replace_method(cls: type, name: str, method: Any) -> None:
    """Replace a method of a class that is written in C, which assignment refuses.

    A subclass under the same name would do for our code and not for libraries that
    compare types.
    """
    (namespace,) = gc.get_referents(cls.__dict__)
    namespace[name] = method
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))


if __name__ == "__main__":
    main(sys.argv)
