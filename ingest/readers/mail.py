"""E-mail: a newsletter as it was saved, with its headers (.eml)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from email.errors import MessageError
from email.headerregistry import AddressHeader
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import EmailPolicy
from pathlib import Path
from typing import Any

from ingest.charset import decode
from ingest.datelines import find_byline
from ingest.messages import FileOutcome
from ingest.readers.fields import confidence_of, find_published
from ingest.readers.html import HtmlReader
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.readers.text import find_piece
from ingest.text import collapse

# The parser of the library keeps every line, tries each against all boundaries that
# are open, and goes one call deeper for each. Newsletters have a tenth of these.
MAX_LINES = 300_000
MAX_BOUNDARIES = 50
MAX_DELIMITERS = 5_000
MAX_INNER_MAILS = 20
MAX_HEADER_CHARS = 2_000  # headers in structure take time in the square of these

# What the library raises for headers that it knows and cannot make sense of.
_BROKEN = (
    *(MessageError, ValueError, LookupError, TypeError, AttributeError),
    RecursionError,
)

_HEADER = re.compile(rb"[!-9;-~]+:")
_WRITTEN = {b"from", b"subject"}
_TELLING = {b"date", b"mime-version", b"message-id", b"received", b"list-id"}
# On their way mails gather these, and more of them than the head of a file holds.
_GATHERED = {b"received", b"return-path", b"delivered-to", b"dkim-signature"}
_END = re.compile(rb"\r?\n\r?\n")  # of the headers
_LIST_ID = re.compile(r"<([\w.-]+)>\s*$|^([\w.-]+)$")
_ADDRESS = re.compile(r"<\s*(https?://[^\s<>]+)\s*>|^(https?://\S+)$")


class MailReader:
    """Reads a saved newsletter: what is written in it, and who sent it."""

    extractor = "mail/1"
    media_type = "message/rfc822"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise headers, and among them those that every mail has."""
        names = set(_header_names(head))
        if names >= _WRITTEN:
            return not names.isdisjoint(_TELLING)
        return _END.search(head) is None and not names.isdisjoint(_GATHERED)

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the article of the mail; attachments are passed over.

        Raises:
            UnreadableContentError: It is built to cost time, or no mail.
        """
        mail = _parse(body)
        found = _from_html(mail) or find_piece(_content(mail, "text/plain"))
        if found is None:
            return
        title = _header(mail, "subject") or found.title
        yield replace(
            found,
            title=title,
            byline=_sender(mail) or found.byline,
            language=_header(mail, "content-language") or found.language,
            published=find_published(_header(mail, "date")) or found.published,
            confidence=max(found.confidence, confidence_of(title, found.text) - 0.1),
            source=_list(mail) or _domain(mail),
            url=_page(mail) or found.url,
        )


def _header_names(head: bytes) -> Iterator[bytes]:
    """Yield the names of the headers; none where other lines stand among them."""
    block = _END.split(head, maxsplit=1)[0]
    lines = block.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[0].startswith(b"From "):  # what mailboxes put between mails
        del lines[0]
    names = []
    # The last line may be cut by the end of the head.
    for line in lines[:-1] if block == head else lines:
        if line[:1] in {b" ", b"\t"}:
            continue
        if _HEADER.match(line) is None:
            return
        names.append(line.partition(b":")[0].lower())
    yield from names


class _Bounded(EmailPolicy):
    """The rules of today's mails, for headers no longer than any that is meant well."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Cut what is too long, and decode what no charset is named for."""
        name, value = super().header_source_parse(sourcelines)
        bare = str(value)[:MAX_HEADER_CHARS]
        if not bare.isascii():  # such bytes come as surrogates
            bare = decode(bare.encode("utf-8", "surrogateescape")).text
        return name, bare


_POLICY = _Bounded()


def _parse(body: bytes) -> EmailMessage:
    _require_harmless(body)
    try:
        parsed: Any = BytesParser(EmailMessage, policy=_POLICY).parsebytes(
            body.removeprefix(b"\xef\xbb\xbf")
        )
    except _BROKEN as error:
        raise _unreadable(error) from error
    mail: EmailMessage = parsed
    return mail


def _unreadable(error: Exception) -> UnreadableContentError:
    reason = f"The mail is broken: {type(error).__name__}."
    return UnreadableContentError(FileOutcome.MALFORMED, reason)


def _require_harmless(body: bytes) -> None:
    lower = body.lower()
    n_mails = lower.count(b"message/rfc822") + lower.count(b"message/partial")
    if (
        body.count(b"\n") + body.count(b"\r") > 2 * MAX_LINES
        or lower.count(b"boundary") > MAX_BOUNDARIES
        or body.count(b"\n--") > MAX_DELIMITERS
        or n_mails > MAX_INNER_MAILS
    ):
        reason = "The mail has more lines or parts than any that is real."
        raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)


def _from_html(mail: EmailMessage) -> Piece | None:
    html = _content(mail, "text/html")
    # With its mark, whatever charset the page declares for itself is passed over.
    return next(HtmlReader().read(b"\xef\xbb\xbf" + html.encode()), None)


def _content(mail: EmailMessage, kind: str) -> str:
    """Return the text of the first part of a kind, or "" where there is none."""
    try:
        parts = (part for part in mail.walk() if not _is_attachment(part))
        part = next((one for one in parts if one.get_content_type() == kind), None)
        payload = None if part is None else part.get_payload(decode=True)
        charset = None if part is None else part.get_content_charset()
    except _BROKEN as error:
        raise _unreadable(error) from error
    return decode(payload, charset).text if isinstance(payload, bytes) else ""


def _is_attachment(part: Message) -> bool:
    return part.is_multipart() or part.get_content_disposition() == "attachment"


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return collapse(str(mail[name] or ""))
    except _BROKEN:
        return ""


def _addresses(mail: EmailMessage) -> tuple[Any, ...]:
    try:
        header = mail["from"]
    except _BROKEN:
        return ()
    return header.addresses if isinstance(header, AddressHeader) else ()


def _sender(mail: EmailMessage) -> str | None:
    for address in _addresses(mail):
        name = collapse(address.display_name) or collapse(address.addr_spec)
        if name:
            return find_byline(name) or name
    return None


def _domain(mail: EmailMessage) -> str | None:
    domains = (collapse(address.domain).lower() for address in _addresses(mail))
    return next(filter(None, domains), None)


def _list(mail: EmailMessage) -> str | None:
    match = _LIST_ID.search(_header(mail, "list-id"))
    return None if match is None else (match[1] or match[2]).lower()


def _page(mail: EmailMessage) -> str | None:
    """Return where the mail itself is on the web (RFC 5064)."""
    match = _ADDRESS.search(_header(mail, "archived-at"))
    return None if match is None else match[1] or match[2]
