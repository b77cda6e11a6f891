"""What articles are about, packed and unpacked."""

from hypothesis import given
from hypothesis import strategies as st

from store.vectors import pack_terms, unpack_terms

weights = st.integers(-10_000, 10_000).map(lambda number: number / 10_000)
terms = st.lists(st.tuples(st.text(st.characters(exclude_characters="\0")), weights))


@given(terms)
def test_what_is_packed_is_unpacked_as_it_was(found: list[tuple[str, float]]) -> None:
    assert unpack_terms(pack_terms(tuple(found))) == tuple(found)


def test_a_vector_of_sixty_words_takes_some_hundred_bytes() -> None:
    found = tuple((f"word{number:04}", number / 100) for number in range(60))
    assert len(pack_terms(found)) < 700
    assert unpack_terms(b"") == unpack_terms(pack_terms(())) == ()
