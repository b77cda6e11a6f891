"""Furniture that the pages of a source have in common, and what is done with it."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import pack
from ingest.dumps import Extract, extract
from ingest.filemessages import FileRead, FileToRead, LearnedLines, ReadFiles
from ingest.files import read_files
from ingest.furniture import line_hash
from ingest.learning import find_common, find_common_packed
from ingest.messages import FileOutcome
from ingest.packedlines import DamagedLinesError, pack_lines, unpack_lines
from ingest.phrases import Kind
from ingest.portions import message_bytes

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
NOTICE = (
    "The Gazette is owned by its readers and has reported from the coast for years."
)
TOPICS = ("harbour", "orchard", "railway", "theatre", "quarry")


def paragraphs(topic: str) -> list[str]:
    return [
        f"The {topic} was the only thing that the council of the town spoke of in May.",
        f"Nobody on the {topic} side, said the mayor, had been asked about a price.",
        f"A report on the {topic} and what comes after it is expected in the autumn.",
    ]


def dump(topic: str, *more: str, title: str | None = None) -> str:
    above = ["fbpx", title or f"What becomes of the {topic} now", "[ssba]"]
    return "\n\n".join([*above, *paragraphs(topic), *more, "Leave a comment"])


def found_in(text: str, learned: Sequence[str] = ()) -> Extract:
    found = extract(text, learned=learned)
    assert found is not None
    return found


def common(*dumps: str) -> list[str]:
    return [one.text for one in find_common(found_in(one).lines for one in dumps)]


def test_what_stands_with_three_different_texts_is_furniture() -> None:
    pages = [dump(topic, NOTICE) for topic in TOPICS[:3]]
    assert NOTICE in found_in(pages[0]).text
    assert common(*pages[:2]) == []
    assert common(*pages) == [NOTICE]


def test_what_was_learned_is_kept_out_of_the_text_and_called_furniture() -> None:
    page = dump("harbour", NOTICE)
    found = found_in(page, [line_hash(f"» {NOTICE.upper()}")])
    assert found.text == "\n\n".join(paragraphs("harbour"))
    assert (Kind.FURNITURE, NOTICE) in found.lines
    assert [text for _, text in found.lines] == [
        text for _, text in found_in(page).lines
    ]


def test_copies_and_later_states_of_a_text_count_once() -> None:
    first = dump("harbour", NOTICE)
    later = dump("harbour", "And then it rained on all of them until night.", NOTICE)
    other = dump("orchard", NOTICE)
    assert common(first, later, first, other) == []


def test_a_headline_that_other_pages_list_stays_a_headline() -> None:
    title = "What becomes of the harbour now"
    pages = [dump("harbour", title=title)]
    pages += [f"{title}\n\n{dump(topic)}\n\n{title}" for topic in TOPICS[1:4]]
    assert title not in common(*pages)
    hashes = [line_hash(title)]
    assert found_in(pages[0], hashes).title == title


def test_a_paragraph_of_background_is_no_furniture() -> None:
    background = " ".join([NOTICE.rstrip("."), NOTICE, NOTICE])
    assert common(*(dump(topic, background) for topic in TOPICS)) == []


def test_what_passes_for_text_must_stand_on_every_fifth_page() -> None:
    rare = [dump(f"{topic}{n}") for topic in TOPICS for n in range(3)]
    assert common(*rare, *(dump(topic, NOTICE) for topic in TOPICS[:3])) == []
    assert common(*rare, *(dump(topic, NOTICE) for topic in TOPICS)) == [NOTICE]


@given(st.lists(st.sampled_from(TOPICS), max_size=8), st.integers(0, 7))
def test_a_page_that_comes_again_teaches_nothing_new(
    topics: list[str], again: int
) -> None:
    pages = [found_in(dump(topic, NOTICE, "Ring us")).lines for topic in topics]
    once = find_common(pages)
    assert find_common([*pages, *pages[again:]]) == once
    assert {one.n_texts for one in once} <= {len(set(topics))}


LINES = st.lists(st.tuples(st.sampled_from(list(Kind)), st.text(max_size=30)))


@given(LINES)
def test_lines_are_unpacked_as_they_were_packed(lines: list[tuple[Kind, str]]) -> None:
    found = unpack_lines(pack_lines(lines))
    kinds = {kind for kind, _ in lines}
    is_text = kinds <= {Kind.TITLE, Kind.BODY, Kind.BYLINE, Kind.DATELINE}
    assert found == ([] if is_text else lines)


@pytest.mark.parametrize(
    "packed",
    [
        b"no zlib",
        zlib.compress(b"{}"),
        zlib.compress(b'[["body"]]'),
        zlib.compress(b"["),
    ],
    ids=["zlib", "object", "half", "json"],
)
def test_damaged_lines_are_an_error_and_teach_nothing(packed: bytes) -> None:
    with pytest.raises(DamagedLinesError):
        unpack_lines(packed)
    pages = [pack_lines(found_in(dump(topic, NOTICE)).lines) for topic in TOPICS[:3]]
    assert [one.text for one in find_common_packed([packed, *pages])] == [NOTICE]


def read(file: FileToRead, *, most: int = 100_000, learned: str = "") -> FileRead:
    lines = LearnedLines(source="gazette", up_to=7, hashes=(line_hash(learned),))
    command = ReadFiles(
        files=(file,),
        max_file_bytes=100_000,
        max_message_bytes=most,
        learned=(lines,) if learned else (),
    )
    (event,) = read_files(command, now=NOW)
    return event.reads[0]


def file_with(folder: Path, text: str) -> FileToRead:
    path = folder / "a.txt"
    path.write_text(text, "utf-8")
    return FileToRead(file_id=1, path=str(path), source="gazette")


def test_lines_travel_and_are_left_out_before_anything_else(tmp_path: Path) -> None:
    file = file_with(tmp_path, dump("harbour", *(f"Tag {n}" for n in range(200))))
    whole = read(file)
    (entry,) = whole.entries
    kinds = [kind for kind, _ in unpack_lines(entry.packed_lines)]
    assert kinds[:4] == ["tracker", "title", "shortcode", "body"]
    less = read(file, most=message_bytes(whole) - 1)
    assert less.entries == (replace(entry, packed_lines=b""),)
    assert less.document == whole.document
    least = read(file, most=message_bytes(less) - 1)
    assert least.entries == less.entries
    assert least.document is None


def test_stored_bytes_are_read_whatever_is_at_the_path(tmp_path: Path) -> None:
    file = file_with(tmp_path, "Nothing of the kind.")
    stored = pack(dump("harbour", NOTICE).encode(), "text/plain")
    found = read(replace(file, document=stored), learned=NOTICE)
    assert found.from_document
    assert found.document is None
    assert found.learned_up_to == 7
    article = found.entries[0].article
    assert article is not None
    assert article.text == "\n\n".join(paragraphs("harbour"))
    assert found.entries[0].key == Path(file.path).as_uri()


def test_damaged_bytes_have_an_outcome(tmp_path: Path) -> None:
    stored = replace(pack(b"a", "text/plain"), body=b"b")
    found = read(replace(file_with(tmp_path, dump("harbour")), document=stored))
    assert (found.outcome, found.entries) == (FileOutcome.UNREADABLE, ())
    assert found.from_document


def test_lines_of_another_source_are_not_used(tmp_path: Path) -> None:
    file = replace(file_with(tmp_path, dump("harbour", NOTICE)), source="herald")
    found = read(file, learned=NOTICE)
    assert found.learned_up_to == 0
    assert found.entries[0].article is not None
    assert NOTICE in found.entries[0].article.text
