"""What operators say of names: aliases, merges, splits and stop names, as a table.

One rule a line, five cells divided by tabs, of which the last may be left out:

    alias   Putin               per:vladimir-putin      PER     en
    merge   per:v-putin         per:vladimir-putin
    split   per:michael-jordan  per:m-jordan-scholar            Berkeley
    stop    Reuters                                     ORG
    qid     per:vladimir-putin  Q7747

A line whose second cell is a type is an alias as well: alias, type, key, language.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from enrich.entities.names import clean_surface, fold
from enrich.entities.tables import ANY_LANGUAGE, Alias
from enrich.errors import BadNameTable
from enrich.messages import EntityKind, NameRule, Rule

# The table travels with every command to enrich.
MAX_TABLE_BYTES = 500_000
MAX_CELL_CHARS = 300

_QID = re.compile(r"Q[1-9]\d{0,11}")
_NO_KIND = ""
_N_CELLS = 5
_MIN_ALIAS_CELLS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorNames:
    """The rules of a table, in the form in which they are applied."""

    aliases: tuple[Alias, ...] = ()
    merges: Mapping[str, str] = field(default_factory=dict)  # key -> the last of all
    # Key -> words that an article must hold, each with the key that is meant then.
    splits: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    stops: frozenset[tuple[str, str]] = frozenset()  # folded name, kind or ""

    def is_stopped(self, surface: str, kind: EntityKind) -> bool:
        """Whether what is spelt so, and is of this kind, is never an entity."""
        if not self.stops:
            return False
        name = fold(clean_surface(surface))
        return (name, _NO_KIND) in self.stops or (name, kind.value) in self.stops

    def key_of(self, key: str, text: str) -> str:
        """Return the key that is meant by a key, in an article with this text."""
        key = self.merges.get(key, key)
        for word, target in self.splits.get(key, ()):
            if _holds(text, word):
                return target
        return key


def read_names(content: str) -> tuple[NameRule, ...]:
    """Read a table of rules; empty lines, comments (#) and a heading are skipped.

    Raises:
        BadNameTable: A line is no rule, or rules contradict each other.
    """
    rules: list[NameRule] = []
    for number, line in enumerate(content.splitlines(), start=1):
        cells = [cell.strip() for cell in line.lstrip("\ufeff").split("\t")]
        is_heading = cells[0].lower() in {"rule", "alias"} and "type" in cells
        if not any(cells) or cells[0].startswith("#") or is_heading:
            continue
        try:
            rules.append(check_rule(_rule(cells)))
        except ValueError as error:
            raise BadNameTable(number, str(error)) from None
    compile_names(rules)
    return tuple(rules)


def write_names(rules: Iterable[NameRule]) -> str:
    """Return the table of rules, the same for equal rules whatever their order.

    The first alias of a key gives it its name: those of one key keep their order.
    """
    unique = dict.fromkeys(rules)
    ordered = sorted(unique, key=lambda rule: (rule.rule, rule.target, rule.subject))
    kept = [one for one in unique if one.rule is Rule.ALIAS]
    kept.sort(key=lambda rule: rule.target)
    others = [one for one in ordered if one.rule is not Rule.ALIAS]
    return "".join(_line(rule) for rule in (*kept, *others))


def names_digest(content: str) -> str:
    """Return eight hex digits over what a table says that changes a result."""
    lines = [
        line for line in content.splitlines() if line.partition("\t")[0] != Rule.QID
    ]
    encoded = "\n".join(lines).encode("utf-8", "surrogatepass")
    return blake2b(encoded, digest_size=4).hexdigest()


def check_rule(rule: NameRule) -> NameRule:
    """Return a rule that can be used.

    Raises:
        ValueError: It cannot; the message says why.
    """
    cells = (rule.subject, rule.target, rule.detail)
    if not rule.subject:
        raise ValueError(f"{rule.rule} needs a name or a key")
    if max(map(len, cells)) > MAX_CELL_CHARS:
        raise ValueError(f"a name or key has more than {MAX_CELL_CHARS} characters")
    if not all(map(str.isprintable, cells)):
        raise ValueError("a name or key holds a character that cannot be seen")
    reason = _lack(rule)
    if reason:
        raise ValueError(reason)
    return rule


def _lack(rule: NameRule) -> str | None:
    """Return what a rule lacks; None where it is whole."""
    match rule.rule:
        case Rule.ALIAS if not rule.target or rule.kind is None:
            return "alias needs a key and a type"
        case Rule.MERGE if not rule.target or rule.target == rule.subject:
            return "merge needs two keys"
        case Rule.SPLIT if not rule.target or not rule.detail:
            return "split needs two keys and a word that tells them apart"
        case Rule.QID if not _QID.fullmatch(rule.target):
            return "qid needs a key and a number such as Q7747"
        case _:
            return None


def compile_names(rules: Sequence[NameRule]) -> OperatorNames:
    """Return rules in the form in which they are applied.

    Raises:
        BadNameTable: Merges lead in a circle, or there are too many rules.
    """
    n_bytes = sum(len(_line(rule).encode("utf-8", "surrogatepass")) for rule in rules)
    if n_bytes > MAX_TABLE_BYTES:
        raise BadNameTable(0, f"it has more than {MAX_TABLE_BYTES} bytes")
    splits: dict[str, list[tuple[str, str]]] = {}
    for rule in rules:
        if rule.rule is Rule.SPLIT:
            splits.setdefault(rule.subject, []).append((rule.detail, rule.target))
    return OperatorNames(
        aliases=tuple(_aliases(rules)),
        merges=_merges(rules),
        splits=splits,
        stops=frozenset(
            (fold(clean_surface(rule.subject)), rule.kind.value if rule.kind else "")
            for rule in rules
            if rule.rule is Rule.STOP
        ),
    )


def _rule(cells: list[str]) -> NameRule:
    if cells[0] in Rule.__members__.values():
        padded = (*cells, *[""] * _N_CELLS)
        rule, subject, target, kind, detail = padded[:_N_CELLS]
        return NameRule(
            rule=Rule(rule),
            subject=subject,
            target=target,
            kind=_kind(kind) if kind else None,
            detail=detail,
        )
    if len(cells) < _MIN_ALIAS_CELLS or not all(cells[:_MIN_ALIAS_CELLS]):
        raise ValueError("needs alias, type and key, divided by tabs, or a rule first")
    spelling, kind, key, *language = cells
    return NameRule(
        rule=Rule.ALIAS,
        subject=spelling,
        target=key,
        kind=_kind(kind),
        detail=language[0] if language else "",
    )


def _kind(name: str) -> EntityKind:
    if name not in EntityKind.__members__:
        known = ", ".join(EntityKind.__members__)
        raise ValueError(f"type {name!r} is none of {known}")
    return EntityKind[name]


def _line(rule: NameRule) -> str:
    kind = rule.kind.value if rule.kind else ""
    cells = (rule.rule.value, rule.subject, rule.target, kind, rule.detail)
    return "\t".join(cells).rstrip("\t") + "\n"


def _aliases(rules: Iterable[NameRule]) -> Iterator[Alias]:
    names: dict[str, str] = {}
    for rule in rules:
        if rule.rule is Rule.ALIAS and rule.kind is not None:
            yield Alias(
                spelling=rule.subject,
                kind=rule.kind,
                key=rule.target,
                name=names.setdefault(rule.target, rule.subject),
                language=rule.detail or ANY_LANGUAGE,
                operator=True,
            )


def _merges(rules: Iterable[NameRule]) -> dict[str, str]:
    """Return each key with the one that it is merged into in the end."""
    steps = {rule.subject: rule.target for rule in rules if rule.rule is Rule.MERGE}
    merges = {}
    for key, last in steps.items():
        seen = {key}
        end = last
        while end in steps and end not in seen:
            seen.add(end)
            end = steps[end]
        if end in seen:
            raise BadNameTable(0, f"merges lead from {key} in a circle")
        merges[key] = end
    return merges


def _holds(text: str, word: str) -> bool:
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None
