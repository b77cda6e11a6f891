"""Canonical URLs: one spelling per page, and the publisher behind it."""

import hashlib
import re
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

MAX_URL_CHARS = 4096  # servers refuse longer ones; real article links stay below 500
MAX_PARAMETERS = 100  # each takes 8 us to sort and escape; a page has a handful
MAX_RAW_CHARS = 16_384  # before tracking parameters are taken out

# Raise this when the table below changes: canonical URLs are identities, so a new
# table gives new articles unless stored ones are canonicalised again.
TRACKING_VERSION = 1

# Families of parameters that only ever say where a reader came from.
_TRACKING_PREFIXES = (
    "utm_",  # campaign tags of most analytics suites
    "at_",  # AT Internet, common at public broadcasters
    "mc_",  # Mailchimp campaigns
    "mtm_",  # Matomo campaigns
    "pk_",  # Matomo, formerly Piwik
    "hsa_",  # HubSpot advertisements
    "_hs",  # HubSpot mails: _hsenc, _hsmi
    "wt_",  # Webtrekk; its relatives are written wt.
    "wt.",
)
# Exact names. None of these selects content on a news site; names that sometimes
# do ("id", "p", "page", "source", "s") must never be added.
_TRACKING_NAMES = frozenset(
    {
        *("fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid"),  # ads
        *("twclid", "ttclid", "li_fat_id", "yclid", "igshid", "igsh", "epik"),  # ads
        *("smid", "smtyp", "cmp", "cmpid", "ocid", "ncid", "icid", "cid_source"),
        *("ref", "ref_src", "ref_url", "referrer", "partner", "mbid", "spref"),
        *("xtor", "wtrid", "wtmc", "ftag", "ito", "guccounter", "taid", "sref"),
        *("sr_share", "share_type", "__twitter_impression", "feature_share"),
        *("oly_enc_id", "oly_anon_id", "vero_id", "vero_conv", "mkt_tok", "sh_kit"),
    }
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
# WHATWG: browsers drop these inside a URL and trim controls and spaces around it.
_BREAKS = re.compile(r"[\t\r\n]")
_TRIMMED = "".join(map(chr, range(0x21)))
_HOST = re.compile(r"[^\s/?#@\\%<>^|]+")
# Most pages have such an address, absolute and in the one spelling that it can have.
_PLAIN = re.compile(
    r"https?://([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*+)/(?:[\w~-][\w.~-]*/?)*+",
    re.ASCII,
)


def canonical_url(url: str, base: str | None = None) -> str | None:
    """Return the one spelling of a web address, or None where it is none.

    The scheme and the host are in lower case, without credentials, default port and
    fragment; tracking parameters go, the other parameters are sorted, and escapes
    are normalised. The function is idempotent. A relative address is resolved
    against `base`.
    """
    if _plain(url):
        return url
    parts = _split(url, base)
    if parts is None:
        return None
    netloc = _netloc(parts)
    if netloc is None:
        return None
    query = "&".join(part for part in parts.query.split("&") if not _tracks(part))
    bare = urlunsplit((parts.scheme, netloc, parts.path or "/", query, ""))
    return _escaped(bare)


def absolute_url(url: str, base: str) -> str | None:
    """Return a web address resolved against `base`, or None where it is none."""
    if _plain(url):
        return url
    parts = _split(url, base)
    return None if parts is None else urlunsplit(parts)


def url_key(url: str) -> str | None:
    """Return what an address is known by: 64 hex digits, equal for one page."""
    canonical = canonical_url(url)
    return canonical and hashlib.sha256(canonical.encode()).hexdigest()


def publisher(url: str) -> str:
    """Return the host of an address without "www.", or "" where there is none."""
    plain = _plain(url)
    host = plain[1] if plain else _host(url)
    return host.removeprefix("www.") or host


def _plain(url: str) -> re.Match[str] | None:
    return _PLAIN.fullmatch(url) if len(url) <= MAX_URL_CHARS else None


def _host(url: str) -> str:
    parts = _split(url, None)
    netloc = (_netloc(parts) if parts else None) or ""
    return netloc if netloc.startswith("[") else netloc.partition(":")[0]


def _split(url: str, base: str | None) -> SplitResult | None:
    # The library takes the letters of a host apart, in the square of its length.
    if len(url) > MAX_RAW_CHARS:
        return None
    url = _BREAKS.sub("", url).strip(_TRIMMED)
    try:
        parts = urlsplit(url if base is None else urljoin(base, url))
        has_host = bool(parts.hostname)
    except ValueError:  # an unclosed bracket, a host that NFKC turns into a path
        return None
    is_data = parts.query.count("&") > MAX_PARAMETERS
    if parts.scheme not in _DEFAULT_PORTS or not has_host or is_data:
        return None
    return parts


def _netloc(parts: SplitResult) -> str | None:
    """Return host and port as they are compared, or None where they make no sense."""
    try:
        port = parts.port
    except ValueError:
        return None
    host = _ascii_host(parts.hostname or "")
    if host is None:
        return None
    if port is None or port == _DEFAULT_PORTS[parts.scheme]:
        return host
    return f"{host}:{port}"


def _ascii_host(host: str) -> str | None:
    host = host.rstrip(".").lower()
    if ":" in host:
        return f"[{host}]"
    if _HOST.fullmatch(host) is None:
        return None
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:  # a label that is empty, too long or not allowed
        return None


def _tracks(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    return name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES)


def _escaped(url: str) -> str | None:
    """Normalise escapes and the order of parameters; None for what cannot be."""
    try:
        # Lone surrogates cannot be escaped, hence UnicodeError.
        canonical = canonicalize_url(url, keep_blank_values=True)
    except (ValueError, UnicodeError):
        return None
    return canonical if len(canonical) <= MAX_URL_CHARS else None
