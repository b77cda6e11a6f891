"""Walls: pages that ask for money or consent where their article should stand.

A consent page has no article at all. Behind a pay wall stands the beginning of one,
which is kept as what it is: a text that somebody should look at. Made from the wording
and the markup of public pages; a long text is never a wall, whatever it mentions.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from ingest.lines import Line
from ingest.pageheads import PageHead

MAX_CONSENT_WORDS = 250  # of text on a page that asks for consent and shows no more
MAX_TEASER_WORDS = 200  # of text above a pay wall; the rest of an article is longer
MIN_CONSENT_SIGNS = 2  # one sentence on cookies stands on most pages

# Signs of a request for consent, each in several languages: it names privacy, other
# firms, storage on a device, a choice, and advertisements made to measure.
_CONSENT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"\bwe (?:value|respect|care about) your privacy\b|\bbefore you continue\b"
            r"|\bihre privatsphäre\b|\bvotre vie privée\b|\btu privacidad\b"
            r"|\bla tua privacy\b|\bsua privacidade\b"
        ),
        (
            r"\b(?:our|\d+|and our) (?:partners|vendors)\b|\bunsere(?:n|r)? partner\b"
            r"|\bnos (?:\d+ )?partenaires\b|\bnuestros (?:\d+ )?socios\b"
            r"|\bi nostri (?:\d+ )?partner\b|\bnossos (?:\d+ )?parceiros\b"
        ),
        (
            r"\b(?:store|access|speichern|stocker|almacenar|archiviare|armazenar)\b"
            r".{0,60}\b(?:device|gerät|terminal|appareil|dispositivo)\b"
        ),
        (
            r"\b(?:accept|agree to|reject|refuse|manage|withdraw)\b.{0,20}"
            r"\b(?:all|cookies?|consent|preferences|choices|options)\b"
            r"|\balle (?:cookies )?(?:akzeptieren|ablehnen)\b"
            r"|\btout (?:accepter|refuser)\b|\b(?:accetta|rifiuta) tutt[oi]\b"
            r"|\b(?:aceptar|rechazar|aceitar|rejeitar) (?:todo|todas|tudo)\b"
        ),
        (
            r"\bpersonali[sz]ed (?:ads|advertising|content)\b"
            r"|\blegitimate interests?\b|\bpersonalisierte (?:anzeigen|werbung)\b"
            r"|\bpublicités? personnalisées?\b"
            r"|\b(?:anuncios|anúncios|annunci) personali[sz]\w+"
        ),
    )
)
_PAY = re.compile(
    r"\b(?:to (?:continue|keep|finish) reading|continue reading (?:with|your|for)"
    r"|read the (?:full|rest of the|whole) (?:story|article) (?:with|by|for|when)"
    r"|(?:this|the) (?:article|story|content|post) is (?:only |exclusively )?"
    r"(?:for|available (?:only )?(?:to|for)|reserved for|exclusive to) (?:\w+ )?"
    r"(?:subscribers|members|paying)"
    r"|subscribe (?:now )?to (?:continue|read|unlock|keep)|already a subscriber\?"
    r"|unlock (?:this|the full) (?:article|story)|you(?:'|\u2019)ve reached your "
    r"(?:limit|free)|free articles? (?:remaining|left|this month)"
    r"|weiterlesen mit|(?:nur|exklusiv) f\u00fcr abonnenten|jetzt weiterlesen"
    r"|(?:article|contenu) r\u00e9serv\u00e9 (?:aux|\u00e0 nos) abonn\u00e9s"
    r"|pour lire la suite|para seguir leyendo|(?:solo|exclusivo) para suscriptores"
    r"|para continuar lendo|exclusivo para assinantes"
    r"|contenuto riservato agli abbonati|per continuare a leggere)",
    re.IGNORECASE,
)
_MAX_SIGN_CHARS = 600  # a longer line is a paragraph


class Wall(StrEnum):
    """What stands where the article should."""

    CONSENT = "consent"  # the page asks to be let set cookies, and shows nothing else
    PAY = "pay"  # the page shows the beginning and asks to be paid for the rest


def find_wall(
    lines: Sequence[Line], kept: Sequence[int], head: PageHead
) -> Wall | None:
    """Return what keeps a page from showing its article, or None.

    Args:
        lines: All lines of the page.
        kept: Those that were taken for the article.
        head: What the page says of itself.
    """
    n_words = sum(lines[i].n_words for i in kept)
    if n_words <= MAX_CONSENT_WORDS:
        taken = " ".join(lines[i].text[:_MAX_SIGN_CHARS] for i in kept)
        n_signs = sum(sign.search(taken) is not None for sign in _CONSENT)
        if n_signs >= MIN_CONSENT_SIGNS:
            return Wall.CONSENT
    if n_words <= MAX_TEASER_WORDS and (
        not head.is_free or any(map(asks_to_pay, lines))
    ):
        return Wall.PAY
    return None


def asks_to_pay(line: Line) -> bool:
    """Say whether a line is one in which a pay wall speaks."""
    return len(line.text) <= _MAX_SIGN_CHARS and _PAY.search(line.text) is not None
