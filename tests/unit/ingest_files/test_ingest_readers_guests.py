import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.samples import PAGE, extractor, read, read_broken

from ingest.messages import FileOutcome
from ingest.readers.guests import find_guests

# As the documentation shows it.
GOOD = """
from collections.abc import Iterator
from pathlib import Path

from ingest.readers.reader import Piece


class TelexReader:
    extractor = "telex/1"
    media_type = "text/x-telex"

    def sniff(self, head: bytes, path: Path, /) -> bool:
        return head.startswith(b"ZCZC")

    def read(self, body: bytes, /) -> Iterator[Piece]:
        for number, message in enumerate(body.decode().split("ZCZC")[1:]):
            title, _, text = message.partition("\\n")
            yield Piece(
                title=title,
                text=text,
                byline=None,
                language=None,
                published=None,
                confidence=0.9,
                fragment=f"message={number}",
            )
"""
BINARY = GOOD.replace("ZCZC", "PK").replace(
    'extractor = "telex/1"', 'extractor = "epub/1"\n    is_binary = True'
)
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    def install_all(**modules: str) -> None:
        points = []
        for name, source in modules.items():
            (tmp_path / f"{name}_guest.py").write_text(source)
            points.append(f"{name} = {name}_guest:TelexReader")
        dist = tmp_path / "guests-1.0.dist-info"
        dist.mkdir()
        (dist / "METADATA").write_text("Name: guests\nVersion: 1.0\n")
        text = "\n".join(["[wireroom.readers]", *points])
        (dist / "entry_points.txt").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        find_guests.cache_clear()

    yield install_all
    find_guests.cache_clear()
    for name in [name for name in sys.modules if name.endswith("_guest")]:
        del sys.modules[name]


def test_another_package_can_bring_a_reader(install: Install) -> None:
    install(telex=GOOD)
    pieces = read(b"ZCZC One\nA text.\nZCZC Two\nA text.\n")
    assert [piece.title.strip() for piece in pieces] == ["One", "Two"]
    assert pieces[1].fragment == "message=1"
    assert extractor(b"ZCZC One\n") == "telex/1"


def test_our_formats_come_before_those_of_guests_and_text_behind(
    install: Install,
) -> None:
    install(telex=GOOD.replace('head.startswith(b"ZCZC")', "True"))
    assert extractor(PAGE.encode()) == "html-page/3"
    assert extractor(b"Any text") == "telex/1"


def test_a_guest_may_read_what_is_no_text(install: Install) -> None:
    install(epub=BINARY)
    assert extractor(b"PK\x03\x04") == "epub/1"


BROKEN = {
    "import": "raise SystemExit(3)",
    "syntax": "class (:",
    "nothing": "",
    "wrong": "class TelexReader: extractor = media_type = 'a'",
    "unnamed": "class TelexReader: sniff = read = print",
    "init": "class TelexReader:\n    def __init__(self, a): ...",
    "sniff": GOOD.replace('head.startswith(b"ZCZC")', "1 / 0"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_guest_is_reported_and_passed_over(
    kind: str, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install(a_broken=BROKEN[kind], telex=GOOD)
    for _ in range(2):
        assert extractor(b"ZCZC One\n") == "telex/1"
    (record,) = caplog.records
    assert record.getMessage() == "reader.refused"
    assert vars(record)["reader"] == "a_broken"
    assert vars(record)["reason"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("yield Piece", "1 / 0; yield Piece", "ZeroDivisionError: division by zero"),
        ("yield Piece(", "yield dict(", "TypeError: it gave a dict"),
    ],
)
def test_what_a_guest_raises_is_the_outcome_of_the_file(
    old: str, new: str, reason: str, install: Install
) -> None:
    install(telex=GOOD.replace(old, new))
    pieces, outcome, told = read_broken(b"ZCZC One\n")
    assert (pieces, outcome) == ([], FileOutcome.MALFORMED)
    assert told == f"The reader telex failed: {reason}."
