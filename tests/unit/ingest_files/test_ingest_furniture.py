import pytest

from ingest.furniture import classify, mark
from ingest.lines import split_lines
from ingest.phrases import PHRASES, Kind


def kind_of(text: str) -> Kind | None:
    (line,) = split_lines(text)
    return classify(line)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("fbpx", Kind.TRACKER),
        ("[ssba]", Kind.SHORTCODE),
        ('[gallery ids="1,2"]', Kind.SHORTCODE),
        ("Share this:", Kind.SHARE),
        ("Facebook Twitter WhatsApp", Kind.SHARE),
        ("120 Shares", Kind.SHARE),
        ("Click to share on Facebook (Opens in new window)", Kind.SHARE),
        ("Partager sur Facebook", Kind.SHARE),
        ("News", Kind.SECTION),
        ("Wirtschaft", Kind.SECTION),
        ("Skip to main content", Kind.NAVIGATION),
        ("• • •", Kind.NAVIGATION),
        ("We use cookies to improve your experience on this site.", Kind.COOKIES),
        ("Utilizamos cookies propias y de terceros.", Kind.COOKIES),
        ("Nous utilisons des cookies pour mesurer l\u2019audience.", Kind.COOKIES),
        ("Diese Website verwendet Cookies.", Kind.COOKIES),
        ("Sign up to First Edition, our free morning newsletter", Kind.SIGN_UP),
        ("Suscríbete a nuestro boletín", Kind.SIGN_UP),
        ("Assine a nossa newsletter", Kind.SIGN_UP),
        ("Iscriviti alla nostra newsletter", Kind.SIGN_UP),
        ("Advertisement", Kind.ADVERT),
        ("Publicité", Kind.ADVERT),
        ("Related", Kind.RELATED),
        ("Read more: Your rights when an airline goes bust", Kind.RELATED),
        ("Lea también: Diez libros para leer en el tren", Kind.RELATED),
        ("Mehr zum Thema", Kind.RELATED),
        ("6 Comments", Kind.COMMENTS),
        ("Leave a comment", Kind.COMMENTS),
        ("© 2026 The Harbour Gazette. All rights reserved.", Kind.LEGAL),
        ("Tous droits réservés.", Kind.LEGAL),
        ("Photo: Tents beside the sports hall (Petros Vlachos)", Kind.CAPTION),
        ("The bridge on Monday. Photograph by Ann Lee/AFP/Getty Images", Kind.CAPTION),
        ("https://example.com/a?b=c", Kind.LINK),
        ("@example_desk", Kind.LINK),
        ("By Jane Roe", Kind.BYLINE),
        ("Von Katrin Ahlers", Kind.BYLINE),
        ("12 December 2017", Kind.DATELINE),
        ("var x = document.cookie;", Kind.CODE),
        ("You can follow him on Twitter @someone.", Kind.BIOGRAPHY),
    ],
)
def test_furniture_is_known_by_kind(line: str, kind: Kind) -> None:
    assert kind_of(line) is kind


@pytest.mark.parametrize(
    "line",
    [
        "Putin says some Russian forces will leave Syria",
        "Facebook said on Tuesday that it would share data with researchers.",
        "The regulator fined the company for setting cookies without consent.",
        "Related companies were not named in the filing to the exchange.",
        "Comments by the minister set off a wave of protest in the capital.",
        "By Monday evening the water had reached the old town.",
        "“We use the terms of the treaty,” the minister said.",
        "In 2017 the president visited the base twice.",
        "Print sales of the newspaper fell by a tenth last year.",
        "Home prices rose for the third month in a row.",
    ],
)
def test_sentences_that_mention_furniture_are_text(line: str) -> None:
    assert kind_of(line) is None


def test_phrases_are_written_as_they_are_looked_up() -> None:
    assert all(phrase == phrase.strip().lower() for phrase in PHRASES)
    assert "" not in PHRASES


def test_repeated_lines_are_counted() -> None:
    marked = mark(split_lines("one\n\ntwo\n\none"))
    assert [(one.nth, one.n_same) for one in marked] == [(1, 2), (1, 1), (2, 2)]


def test_a_very_long_line_is_never_matched_against_patterns() -> None:
    assert kind_of("word, " * 1000 + "all rights reserved.") is None
