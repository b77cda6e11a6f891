"""`wireroom entities alias`, `merge` ...: what operators say of names."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from enrich.entities.operators import (
    check_rule,
    compile_names,
    read_names,
    write_names,
)
from enrich.errors import BadNameTable
from enrich.messages import EntityKind, NameRule, Rule
from ingest.messages import utc_now
from services.cli.base import open_store
from services.cli.call import Call, call_of
from services.cli.deeds import note
from services.cli.output import ExitCode, Failure
from services.cli.tables import read_table
from store.engine import Session, reading, transaction
from store.journal import Action, Deed, about
from store.names import (
    add_rules,
    forget_rules,
    list_rules,
    names_in_force,
    remove_rules,
)

COLUMNS = (
    *("id", "rule", "subject", "target", "kind", "detail"),
    *("in_force", "created_at", "created_by"),
)
WAITS = "in force from the next reprocessing on: tonight, or `wireroom reprocess`"

Name = Annotated[str, typer.Argument(help="A name, as texts spell it.")]
Key = Annotated[str, typer.Argument(help="Key of an entity: per:vladimir-putin.")]
Into = Annotated[str, typer.Argument(help="Key of the entity that is meant.")]


def alias(
    ctx: typer.Context,
    name: Name,
    key: Into,
    kind: Annotated[EntityKind, typer.Option("--type", help="What the name is.")],
    language: Annotated[
        str | None, typer.Option(help="Only in this language: en.")
    ] = None,
) -> None:
    """Say which entity a name means, wherever it stands."""
    rule = NameRule(
        rule=Rule.ALIAS, subject=name, target=key, kind=kind, detail=language or ""
    )
    _say(call_of(ctx), [rule])


def merge(ctx: typer.Context, key: Key, into: Into) -> None:
    """Say that two entities are one."""
    _say(call_of(ctx), [NameRule(rule=Rule.MERGE, subject=key, target=into)])


def split(
    ctx: typer.Context,
    key: Key,
    into: Into,
    when: Annotated[str, typer.Option(help="A word that such an article holds.")],
) -> None:
    """Say that an entity is another one in articles that hold a word."""
    rule = NameRule(rule=Rule.SPLIT, subject=key, target=into, detail=when)
    _say(call_of(ctx), [rule])


def stop(
    ctx: typer.Context,
    name: Name,
    kind: Annotated[
        EntityKind | None,
        typer.Option("--type", help="Only where it is taken for this."),
    ] = None,
) -> None:
    """Say that a name is no entity."""
    _say(call_of(ctx), [NameRule(rule=Rule.STOP, subject=name, kind=kind)])


def qid(
    ctx: typer.Context,
    key: Key,
    number: Annotated[str, typer.Argument(help="What Wikidata calls it: Q7747.")],
) -> None:
    """Say which item of Wikidata an entity is; it holds at once."""
    _say(call_of(ctx), [NameRule(rule=Rule.QID, subject=key, target=number)])


def rules(
    ctx: typer.Context,
    rule: Annotated[Rule | None, typer.Option(help="Only this kind of rule.")] = None,
) -> None:
    """List what operators have said of names, and whether it is in force."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, reading(engine) as session:
        found = list_rules(session, rule=rule)
        in_force = set(names_in_force(session).splitlines())
    rows = [
        {
            "id": one.id,
            **asdict(one.said),
            "in_force": one.said.rule is Rule.QID
            or write_names([one.said]).rstrip("\n") in in_force,
            "created_at": one.created_at,
            "created_by": one.created_by,
        }
        for one in found
    ]
    call.output.rows(rows, columns=COLUMNS)


def forget(
    ctx: typer.Context,
    ids: Annotated[list[int], typer.Argument(help="Numbers of rules, as in rules.")],
) -> None:
    """Take back what was said of names."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, transaction(engine) as session:
        gone = remove_rules(session, ids)
        missing = sorted(set(ids) - {one.id for one in gone})
        if missing:
            raise Failure(f"no rule {missing[0]}", ExitCode.USAGE)
        table = write_names(one.said for one in gone)
        deed = Deed(
            action=Action.ENTITIES_FORGET,
            subject=about("rule", ids),
            before={"rules": table},
        )
        note(session, call.operator, deed)
    call.output.facts({"forgotten": len(gone)})
    call.output.say(WAITS)


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A table: see docs/names.md.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Forget all that was said before.")
    ] = False,
) -> None:
    """Take over a table of aliases, merges, splits and stop names."""
    _say(call_of(ctx), read_names(read_table(file)), replaces=replace)


def export(ctx: typer.Context) -> None:
    """Print all rules as a table that `import` takes."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, reading(engine) as session:
        table = write_names(one.said for one in list_rules(session))
    typer.echo(table, nl=False)


def _say(call: Call, said: Sequence[NameRule], *, replaces: bool = False) -> None:
    """Keep rules, if all that are kept make sense together."""
    try:
        checked = list(map(check_rule, said))
    except ValueError as error:
        raise Failure(str(error), ExitCode.USAGE) from None
    with open_store(call.settings) as engine, transaction(engine) as session:
        before = len(list_rules(session))
        if replaces:
            forget_rules(session)
        n_kept = add_rules(session, checked, by=call.operator, now=utc_now())
        _require_sense(session)
        deed = Deed(
            action=Action.ENTITIES_IMPORT if replaces else Action.ENTITIES_SAY,
            subject=about("rule", [str(one.subject) for one in checked]),
            before={"n": before},
            after={"rules": write_names(checked)},
        )
        note(session, call.operator, deed)
    call.output.facts({"kept": n_kept})
    if any(one.rule is not Rule.QID for one in checked):
        call.output.say(WAITS)


def _require_sense(session: Session) -> None:
    try:
        compile_names([one.said for one in list_rules(session)])
    except BadNameTable as error:
        raise Failure(error.reason, ExitCode.USAGE) from None
