import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import urls
from ingest.urls import MAX_URL_CHARS, absolute_url, canonical_url, publisher

BASE = "https://paper.example/a/b?c"
# Pieces of plain addresses, and what makes them other than plain.
PIECES = st.sampled_from(
    [
        *("a", "Ab", "9", "-", "_", "~", ".", "..", "/", "//", "/.", "www.", ":80"),
        *("%41", "?", "#", ";", " ", "\n", "é", "@", "www", "xn--a", "[", "\\", "0x7f"),
        "x" * 64,
    ]
)
URL_CHARS = "abZ019.-_~/?#[]@!$&'()*+,;=:%2Ff é\u0130\u2100\t\\|\ud800"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://www.Example.COM:80/a/../b?b=2&a=1#x", "http://www.example.com/b?a=1&b=2"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://user:secret@example.com/a", "https://example.com/a"),
        ("https://exämple.de/ü?q=ß", "https://xn--exmple-cua.de/%C3%BC?q=%C3%9F"),
        ("https://example.com/a%2fb%7e", "https://example.com/a%2Fb~"),
        (" https://example.com/a\nb ", "https://example.com/ab"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("https://example.com/?id=7&UTM_Source=feed&fbclid=1", "https://example.com/?id=7"),
        ("https://example.com/a?xtor=RSS-1&at_medium=x&CMP=y", "https://example.com/a"),
        ("https://example.com/?p=12&s=word&page=2", "https://example.com/?p=12&page=2&s=word"),
    ],
)  # fmt: skip
def test_a_page_has_one_spelling(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url",
    [
        *("", "/relative", "//host/x", "mailto:a@b.c", "ftp://example.com/"),
        *("javascript:alert(1)", "http://", "http:///x", "http://[::1", "http://a b/"),
        *("http://example.com:99999/", "http://example.com:x/", "http://%41/"),
        "http://" + "a" * 64 + "é.com/",
        "https://example.com/" + "a" * MAX_URL_CHARS,
    ],
)
def test_what_is_no_web_address_is_none(url: str) -> None:
    assert canonical_url(url) is None


def test_a_relative_address_needs_its_base() -> None:
    base = "https://example.com/a/b/c"
    assert canonical_url("../x?y=1", base) == "https://example.com/a/x?y=1"
    assert canonical_url("//other.org", base) == "https://other.org/"
    assert canonical_url("mailto:a@b.c", base) is None


def test_parameters_that_choose_content_stay() -> None:
    first, second = (canonical_url(f"https://e.com/?b={n}&a=1") for n in (1, 2))
    assert first != second


@given(st.text(URL_CHARS, max_size=40), st.text(URL_CHARS, max_size=30))
def test_canonical_addresses_are_their_own_canonical_form(host: str, tail: str) -> None:
    for url in (f"http://{host}/{tail}", f"https://example.com/{tail}?{host}", host):
        canonical = canonical_url(url)
        assert canonical is None or canonical_url(canonical) == canonical


@given(st.text(max_size=40), st.text(max_size=20))
def test_no_spelling_makes_it_raise(url: str, base: str) -> None:
    canonical_url(url, base)
    canonical_url("http:" + url, "https://" + base)
    publisher("http://" + url)


@given(
    st.sampled_from(["http://", "https://", "HTTP://", "ftp://", "//"]),
    st.lists(PIECES, max_size=4).map("".join),
    st.lists(PIECES, max_size=6).map("".join),
)
def test_a_plain_address_is_what_taking_it_apart_would_make_of_it(
    scheme: str, host: str, path: str
) -> None:
    url = f"{scheme}{host}/{path}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urls, "_plain", lambda _: None)
        slow = canonical_url(url, BASE), absolute_url(url, BASE), publisher(url)
    assert (canonical_url(url, BASE), absolute_url(url, BASE), publisher(url)) == slow


def test_a_plain_address_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(urls, "_split")
    url = "https://www.paper.example/news/2026/03-04/A_title~of.it/"
    assert canonical_url(url, BASE) == url
    assert absolute_url(url, BASE) == url
    assert publisher(url) == "paper.example"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.Example.com/a", "example.com"),
        ("http://news.example.com:8080/", "news.example.com"),
        ("http://[::1]:80/x", "[::1]"),
        ("https://www.", "www"),
        ("no address", ""),
    ],
)
def test_the_publisher_is_the_host_without_www(url: str, name: str) -> None:
    assert publisher(url) == name
