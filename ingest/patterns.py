"""Lines that are page furniture by their wording: a table of patterns.

Each has its reason. Most are bounded in words, because a long sentence that merely
mentions cookies or newsletters is somebody's article.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from ingest.phrases import Kind


class Rule(NamedTuple):
    """What makes a line furniture of one kind."""

    kind: Kind
    max_words: int
    needs: tuple[str, ...]  # in lower case; a line without any of them cannot match
    find: Callable[[str], re.Match[str] | None]
    pattern: str


def _rule(
    kind: Kind,
    pattern: str,
    *,
    max_words: int,
    needs: str = "",
    reason: str,  # noqa: ARG001 - for those who read
) -> Rule:
    """Make a rule; `needs` are parted by "|", and without any it is for line starts."""
    compiled = re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    find = compiled.search if needs else compiled.match
    needed = tuple(filter(None, needs.split("|")))
    return Rule(kind, max_words, needed, find, pattern)


_ANY = 10_000  # words: no bound, the pattern alone is proof

RULES = (
    _rule(
        Kind.SHORTCODE,
        r"^\[/?(?-i:[a-z])[a-z0-9_-]*(?:\s[^\]]*)?\]$",
        max_words=_ANY,
        reason="a plug-in that was switched off leaves its mark: [ssba], [gallery];"
        " a name in brackets, [The Gazette], tells where a quotation is from",
    ),
    _rule(
        Kind.TRACKER,
        r"^(?:(?-i:[bcdfghjklmnpqrstvwxz]{3,8})|gtm-\w+|ua-\d+-\d+|g-[A-Z0-9]{8,}"
        r"|(?:ga|fb|gtm|dfp|ad|pixel|tracking)[_-]?(?:pixel|px|slot|unit|script|code)"
        r"[\w-]*)$",
        max_words=3,
        reason="no language has words without a vowel; scripts do: fbpx, gtm-k2x9",
    ),
    _rule(
        Kind.CODE,
        r"(?:^|[\s;{}])(?:function\s*\w*\(|var\s\w+\s?=|document\.\w+|window\.\w+"
        r"|googletag\b|\(adsbygoogle|jQuery\(|\$\(|@media\b|!important|<!\[CDATA)"
        r"|</?(?:div|span|script|iframe|img|a|p|br)\b[^>]*>|^[.#]?[\w-]+\s*\{",
        max_words=_ANY,
        needs="function|var |document.|window.|googletag|(adsbygoogle|jquery(|$(|@media"
        "|!important|<|{",
        reason="scripts and style sheets that a dump did not strip",
    ),
    _rule(
        Kind.LINK,
        r"^(?:(?:https?://|www\.)\S+|[@#][\w.]+(?:\s[@#][\w.]+)*|\S+@\S+\.\w{2,}"
        r"|[\w-]+(?:\.[\w-]+)+/\S*|[^.:!?]{1,30}:\s?https?://\S+)$",
        max_words=12,
        reason="a bare address, handle or hashtag is no sentence, nor with a label",
    ),
    _rule(
        Kind.COOKIES,
        r"\b(?:(?:this|our)\s(?:web)?site\suses?\scookies|we\suse\scookies"
        r"|we(?:\sand\sour\spartners)?\suse\scookies|use\sof\scookies|cookie\spolicy"
        r"|cookies?\b.*\bcookies?\b.*\bcookies?\b|cookies.*\b(?:web)?site\b.*cookies"
        r"|by\scontinuing\sto\s(?:use|browse)|verwende[nt]\s(?:wir\s)?cookies"
        r"|nutz(?:t|en)\s(?:wir\s)?cookies|utilis\w+\s(?:des|les)\scookies"
        r"|(?:utiliza(?:mos)?|usa(?:mos)?)\scookies|utilizz\w+\s(?:i\s)?cookies?"
        r"|usiamo\s(?:i\s)?cookie|consent\sto\s(?:our|the)\suse)",
        max_words=120,
        needs="cookie|by continuing|consent to",
        reason="consent notices name cookies together with the site, or thrice",
    ),
    _rule(
        Kind.SIGN_UP,
        r"^(?:please\s)?(?:sign\sup|subscribe|register|log\sin|sign\sin|join)\s(?:now\s|here\s|free"
        r"\s|today\s)?(?:for|to|with|below|and|or|on|via|our)\b"
        r"|^(?:get|receive)\s(?:our|the|all|daily|free|email|breaking|news)\b.*"
        r"\b(?:inbox|newsletter|alerts?|updates|e-?mails?|delivered)\b"
        r"|\b(?:(?:in|to)\syour\sinbox|to\sread\sthe\sfull\s(?:story|article)|sign\sup\s(?:for|to)"
        r"\sour|our\s(?:free\s|daily\s|weekly\s)*newsletters?|already\sa\s(?:subscriber"
        r"|member)|unsubscribe|enter\syour\se-?mail|support\sour\sjournalism"
        r"|subscribe\s(?:now\s|today\s)?(?:to|for)\s(?:our|the|unlimited|full|more)"
        r"|thank\syou\sfor\s(?:subscribing|signing|registering|reading)"
        r"|click\shere\s(?:to|for)\s.{1,40}\s(?:app|newsletter|alerts?|updates?))\b"
        r"|^newsletters?\s?[:|\u2013-]|\b(?:jetzt|gratis|kostenlos)\b.*\b(?:anmelden|bestellen)\b"
        r"|\b(?:newsletter\s(?:an|abonnieren|bestellen)|unsere[nm]?\snewsletter"
        r"|notre\s(?:lettre|newsletter)|inscri\w+\s(?:vous\s)?à\s(?:notre|la)"
        r"|abonnez-vous|nuestr[oa]s?\s(?:newsletter|bolet[ií]n\w*)|nossa\snewsletter"
        r"|nostra\snewsletter|iscriviti\sall[ae]|suscr[ií]bete\sa|assine\s(?:a|o|nossa)"
        r"|réservée?\s(?:à|aux)\s(?:nos\s)?abonnés)\b",
        max_words=45,
        needs="sign up|subscrib|register|log in|sign in|join|get |receive |newsletter"
        "|inbox|to read the full|already a|enter your|support our|thank you for"
        "|click here|anmelden|bestellen|notre lettre|inscri|abonnez-vous|nuestr"
        "|iscriviti|suscr|assine|réservé",
        reason="asks the reader for an address or for money",
    ),
    _rule(
        Kind.LEGAL,
        r"^(?:©|\(c\)\s|copyright\b|all\srights\sreserved)|©\s?(?:copyright\s)?\d{4}"
        r"|\b(?:all\srights?\sreserved|alle\srechte\svorbehalten|tous\sdroits\s"
        r"réservés|todos\slos\sderechos\sreservados|todos\sos\sdireitos\sreservados"
        r"|tutti\si\sdiritti\s(?:sono\s)?riservati|terms\s(?:of\s(?:use|service)|(?:and|&)"
        r"\sconditions)|privacy\spolicy|may\snot\sbe\s(?:published|reproduced"
        r"|republished)|riproduzione\sriservata|reproducción\sprohibida"
        r"|personal,?\s(?:and\s)?non-commercial\suse)\b",
        max_words=90,
        needs="©|(c)|copyright|right|rechte|droits|derechos|direitos|diritti|terms "
        "|privacy|may not be|riproduzione|reproducción|non-commercial",
        reason="rights and terms, in the long form of page feet too",
    ),
    _rule(
        Kind.ADVERT,
        r"\b(?:affiliate\s(?:and/or\sreferral\s)?(?:links?|commission|programs?"
        r"|advertising)|earn\sa\s(?:small\s)?(?:commission|referral)|(?:may|we)\s"
        r"receive\s(?:a\s)?compensation|continues?\safter\s(?:the\s)?(?:ad|break)"
        r"|this\s(?:post|article)\s(?:may\s)?contains?\s(?:affiliate|sponsored|paid)"
        r"|(?:if|when)\syou\s(?:buy|purchase|click|order)\b.{0,60}\b(?:get|earn|receive)\s(?:a|an|some)\b"
        r"|sponsored\sby)\b",
        max_words=60,
        needs="affiliate|earn a|compensation|continue|this post|this article|if you"
        "|when you|sponsored by",
        reason="disclosures and breaks for advertising",
    ),
    _rule(
        Kind.SHARE,
        r"^(?:(?:share|tweet|email|e-mail|print|pin|facebook|twitter|linkedin|reddit"
        r"|whatsapp|pinterest|google\+?|flipboard|tumblr|messenger|telegram|copy|link"
        r"|stumbleupon|digg|buffer|pocket|more|sms|x|save|threads|bluesky|teilen"
        r"|partager|compartir|condividi|compartilhar)[\s,|/+·-]*){2,}$"
        r"|^(?:click\sto\s)?(?:share|email|send|tweet|pin|post|print)\s(?:this|on|to|it|via|by|with"
        r"|your)\b|^(?:shares?|views?|likes?|followers)\s?[\d.,]+[km]?$"
        r"|^(?:follow|like|find|join)\s(?:us|me|him|her)\son\b"
        r"|^[\d.,]+[km]?\s?(?:shares?|views?|likes?|followers|retweets|claps"
        r"|min(?:ute)?s?\sread|comments?|reads?)\b"
        r"|^(?:opens\sin\s(?:a\s)?new\swindow|\(?opens\sin)",
        max_words=14,
        reason="buttons to pass the page on, with their counts",
    ),
    _rule(
        Kind.RELATED,
        r"^(?:related|see\salso|read\s(?:also|more|next)|also\sread|more\s(?:from|on|in|about)"
        r"|watch|recommended|mehr\szum\sthema|lesen\ssie\sauch|(?:à\s)?lire\saussi"
        r"|lea?\stambién|leia\s(?:também|mais)|leggi\sanche|you\smay\salso|up\snext"
        r"|most\s(?:read|popular|viewed)|latest|trending|popular|top\s\d+|don't\smiss"
        r"|check\sout|what\sto\sread|around\sthe|articles?\ssimilaires)"
        r"(?:\s(?:in|on|from|news|stories|articles|posts|videos?|this|the)\b.{0,50}"
        r"|\s?[:|»>-].*|\s[^.]{0,40})$",
        max_words=16,
        reason="leads away to other articles",
    ),
    _rule(
        Kind.COMMENTS,
        r"^(?:\d+\s(?:comments?|replies|responses|kommentare|commentaires|comentarios"
        r"|comentários|commenti|thoughts\son)\b|comments?\s?\(\d+\)"
        r"|(?:view|show|read|see|post|add|leave)\s(?:all\s)?(?:\d+\s)?(?:a\s|your\s|the\s)?"
        r"(?:comments?|replies|reply)\b|log\sin\sto\s(?:leave|post|reply|comment)"
        r"|your\se-?mail\saddress\swill|save\smy\sname,|notify\sme\s(?:of|via|by|when)"
        r"|required\sfields|.{1,40}\ssays:?$|comments?\s(?:are|is)\s|reply\sto\s"
        r"|this\ssite\suses\sakismet|(?:you\s)?must\sbe\s(?:logged|signed)"
        r"|submitted\sby\s|posted\sby\s.{1,40}\son\s)",
        max_words=24,
        reason="the forms and heads of what readers write",
    ),
    _rule(
        Kind.CAPTION,
        r"^(?:(?:file\s)?(?:photos?|photographs?|pictures?|images?|illustrations?|graphics?"
        r"|pic|credit|image\scredit|photo\scredit|foto(?:s|graf(?:ía|ia))?|bild(?:quelle|er)?|quelle|grafik|image"
        r"|crédit(?:s)?(?:\sphoto)?|imagen|crédito|imagem|reprodução|immagine|caption"
        r"|video|watch|slideshow|media\scaption|image\scaption|image\scopyright)\s?"
        r"(?:[:|/©]|by\s|par\s|von\s|caption|copyright|courtesy|source)"
        r"|(?:photo|image|picture|file)s?\s(?:courtesy|by|via|of|from)\b|\d{1,2}of\d{1,2}[A-Z])"
        r"|(?:\((?:ap|afp|reuters|epa|getty|file|pa|dpa|efe|ansa|lusa|supplied|photo|foto|image)"
        r"\b[^)]{0,60}\)|/\s?(?:ap|afp|reuters|epa|dpa|pa|getty|efe|ansa)(?:\simages)?"
        r"|\b(?:getty\simages|shutterstock|istock|afp/getty|ap\sphoto|epa-efe"
        r"|picture[\s-]alliance|imago)\b[^.]{0,30}|photo(?:graph)?\sby\s[^.]{3,60}"
        r"|©\s?[^.]{2,40})\.?$",
        max_words=60,
        needs="photo|picture|image|illustration|graphic|pic|credit|foto|bild|quelle|grafik"
        "|crédit|imagem|reprodução|immagine|caption|video|watch|slideshow|file|(|/"
        "|getty|shutterstock|istock|epa-efe|imago|©",
        reason="who took a picture is told under pictures only",
    ),
    _rule(
        Kind.BIOGRAPHY,
        r"\b(?:follow\s(?:him|her|them|me)\s(?:on|at)|(?:he|she)\scan\sbe\s(?:reached|contacted|followed)"
        r"|follow\s(?:us|him|her|them|me)\s@|^e-?mail\s.{3,40}\sat\s\S+@|on\s"
        r"twitter\s(?:at\s)?@?\w+\.?$|write\sto\s.{3,60}@|contact\s.{3,60}@|email\s(?:him|her|the\sauthor)"
        r"|contributed\sto\sthis\s(?:report|story|article)|(?:reporting|editing)\sby\s[A-Z]"
        r"|e-?mail:\s?\S+@)",
        max_words=50,
        needs="follow|can be|@|twitter|write to|mail|contributed|reporting|editing",
        reason="tells of the writer, not of the news",
    ),
    _rule(
        Kind.NAVIGATION,
        r"^(?:(?:image|photo|slide)\s\d+\s(?:of|/)\s\d+$|skip\sto|jump\sto|go\sto|back\sto|return\sto|page\s\d+|\d+\s?/\s?\d+$"
        r"|\d+\sof\s\d+|search\s|filed\s(?:under|in)|tags?:|posted\sin|categor(?:y|ies):"
        r"|topics?:|temas?:|tags\s|schlagw\w+:|etiquetas:|mots-clés|click\shere"
        r"|(?:previous|next)\s(?:post|article|story)\b|download\s(?:our|the)\sapp"
        r"|your\sbrowser|(?:please\s)?enable\sjavascript|javascript\s(?:is|must)"
        r"|we(?:'|\u2019)ve\sdetected|this\svideo\s|chat\swith\sus|printed\sfrom"
        r"|(?:estimated\s)?read(?:ing)?\stime|lesezeit|temps\sde\slecture|tiempo\sde"
        r"\slectura|tempo\sde\sleitura|tempo\sdi\slettura)",
        max_words=14,
        reason="moves the reader about the site",
    ),
)  # fmt: skip

# Nearly all lines match no rule, which these two tell at once: what some rule needs,
# and how a line may start for the others.
NEEDS = tuple(dict.fromkeys(need for rule in RULES for need in rule.needs))
STARTS = re.compile(
    "|".join(f"(?:{rule.pattern})" for rule in RULES if not rule.needs),
    re.IGNORECASE | re.VERBOSE,
)
