"""What is loaded stays, so the collector of garbage has nothing to look for there."""

import gc

import pytest

from services.importing import importing


def test_the_collector_rests_while_something_is_loaded_and_forgets_what_was() -> None:
    frozen = gc.get_freeze_count()
    with importing():
        assert not gc.isenabled()
        kept: list[list[int]] = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(kept)


def test_a_module_that_cannot_be_loaded_leaves_the_collector_on() -> None:
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()
