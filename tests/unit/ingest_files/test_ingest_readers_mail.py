import base64
import quopri
from datetime import UTC, datetime

import pytest
from support.samples import PAGE, PARAGRAPHS, TEXT, extractor, read, read_broken

from ingest.messages import FileOutcome

HEADERS = (
    "Return-Path: <bounce@post.gazette.example>\r\n"
    "From: =?utf-8?q?Caf=C3=A9_Gazette?= <letters@gazette.example>\r\n"
    "To: reader@home.example\r\n"
    "Subject: =?utf-8?q?Harbour_bridge_to_reopen,?=\r\n"
    " =?utf-8?q?_caf=C3=A9_owner_glad?=\r\n"
    "Date: Thu, 05 Mar 2026 18:40:00 +0100\r\n"
    "MIME-Version: 1.0\r\n"
)
LISTED = (
    "List-Id: Morning letter <morning.gazette.example>\r\n"
    "Archived-At: <https://gazette.example/letters/7>\r\n"
)
ATTACHMENT = (
    "Content-Type: text/html\r\nContent-Disposition: attachment; filename=a.html\r\n"
    f"\r\n<html><body>{'<p>This is not the letter, it is a file with it.</p>' * 9}"
)


def parts(*contents: str, kind: str = "mixed") -> str:
    inside = "".join(f"--=b\r\n{one}\r\n" for one in contents)
    return f"Content-Type: multipart/{kind}; boundary='=b'\r\n\r\n".replace(
        "'", '"'
    ) + (f"{inside}--=b--\r\n")


def html(charset: str = "utf-8") -> str:
    body = base64.encodebytes(PAGE.encode(charset)).decode()
    head = f"Content-Type: text/html; charset={charset}\r\n"
    return f"{head}Content-Transfer-Encoding: base64\r\n\r\n{body}"


def plain(charset: str = "utf-8", text: str = TEXT) -> str:
    body = quopri.encodestring(text.encode(charset)).decode()
    head = f"Content-Type: text/plain; charset={charset}\r\n"
    return f"{head}Content-Transfer-Encoding: quoted-printable\r\n\r\n{body}"


def mail(content: str, headers: str = HEADERS) -> bytes:
    return (headers + content).encode()


@pytest.mark.parametrize(
    "content",
    [
        html(),
        html("cp1252"),  # against what the page says of itself
        plain(),
        plain("cp1252"),
        parts(plain(text="Read it in your browser."), html(), kind="alternative"),
        parts(ATTACHMENT, plain()),
    ],
)
def test_a_newsletter_gives_its_article(content: str) -> None:
    (piece,) = read(mail(content), "a.eml")
    assert piece.title == "Harbour bridge to reopen, café owner glad"
    assert piece.text == TEXT
    assert piece.byline == "Café Gazette"
    assert piece.published is not None
    assert piece.published.at == datetime(2026, 3, 5, 17, 40, tzinfo=UTC)
    assert (piece.source, piece.url) == ("gazette.example", None)
    assert piece.fragment is None


def test_a_list_is_the_source_and_its_archive_the_page() -> None:
    (piece,) = read(mail(plain(), HEADERS + LISTED))
    assert piece.source == "morning.gazette.example"
    assert piece.url == "https://gazette.example/letters/7"


def test_a_mail_without_an_article_gives_none() -> None:
    assert read(mail(plain(text="Unsubscribe"))) == []
    assert read(mail(parts(ATTACHMENT))) == []


@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_headers_in_bare_bytes_are_read(charset: str) -> None:
    headers = "From: Café <a@b.example>\nSubject: Über uns\nDate: today\n\n"
    (piece,) = read(headers.encode(charset) + TEXT.encode("utf-8"))
    assert (piece.title, piece.byline) == ("Über uns", "Café")


@pytest.mark.parametrize(
    ("head", "reader"),
    [
        (
            "From a@b Thu Mar  5 17:40:00 2026\nFrom: a\nSubject: b\nDate: c\n\n",
            "mail/1",
        ),
        ("From: a\nSubject: b\n folded\nMessage-ID: c\n\n", "mail/1"),
        ("Received: a\nX: " + "b\n " * 4000 + "\nFrom: a\nSubject: c\n", "mail/1"),
        ("Warning: a\nX: " + "b\n " * 4000 + "\nFrom: a\nSubject: c\n", "text-seed/3"),
        ("From: a\nSubject: b\n\nDate: c", "text-seed/3"),
        ("From: the council\nDate: today\n\nText", "text-seed/3"),
        ("Dear reader,\nFrom: a\nSubject: b\nDate: c\n\n", "text-seed/3"),
    ],
)
def test_headers_make_a_mail_and_not_its_name(head: str, reader: str) -> None:
    assert extractor(head.encode(), "a.eml") == reader


def test_a_mail_that_breaks_off_gives_what_is_there() -> None:
    whole = mail(parts(plain(text="\n\n".join([TEXT, *PARAGRAPHS]))))
    (piece,) = read(whole[: len(whole) * 2 // 3])
    assert PARAGRAPHS[0] in piece.text


def test_a_mail_with_nuls_and_lies_about_its_encoding_is_read() -> None:
    content = plain().replace("charset=utf-8", "charset=no-such\0one")
    (piece,) = read(mail(content.replace("council", "coun\0cil")))
    assert piece.text == TEXT


def nested(depth: int) -> str:
    opening = "Content-Type: multipart/mixed; boundary=b{0}\r\n\r\n--b{0}\r\n"
    return "".join(map(opening.format, range(depth))) + plain()


@pytest.mark.parametrize(
    "content",
    [
        nested(60),
        "Content-Type: message/rfc822\n\n" * 30,
        "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\n" * 6_000,
        "X: y\n" * 700_000,
    ],
)
def test_a_mail_made_to_cost_time_is_refused(content: str) -> None:
    assert read_broken(mail(content))[1] is FileOutcome.TOO_LARGE


@pytest.mark.parametrize("start", ["(", '"', "a:", "a@b.c,", "=?utf-8?q?a?= ", "<"])
def test_headers_made_to_cost_time_cost_none(start: str) -> None:
    much = start * 50_000
    headers = f"Received: a\nFrom: {much}\nSubject: {much}\nDate: {much}\n"
    (piece,) = read(f"{headers}List-Id: {much}\n\n{TEXT}".encode())
    assert piece.text == TEXT


def test_a_header_that_the_library_cannot_read_ends_as_malformed() -> None:
    content = "Content-Type: text/plain; " + "(" * 50_000
    pieces, outcome, reason = read_broken(mail(content))
    assert (pieces, outcome) == ([], FileOutcome.MALFORMED)
    assert reason == "The mail is broken: RecursionError."


def test_parts_nested_as_deep_as_is_allowed_are_read() -> None:
    (piece,) = read(mail(nested(40)))
    assert piece.text == TEXT


def test_a_hostile_page_in_a_mail_is_refused_as_it_is_in_a_file() -> None:
    content = "Content-Type: text/html\r\n\r\n" + "<div>" * 200_000
    assert read_broken(mail(content))[1] is FileOutcome.MALFORMED
