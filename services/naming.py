"""Names: what operators say of them becomes a table, which pipelines go by."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from enrich.entities.operators import write_names
from enrich.messages import Rule
from enrich.pipeline import EnrichOptions, pipelines
from store import replay
from store.engine import Session
from store.names import list_rules, names_in_force
from store.pipelines import activate


def names_now(session: Session) -> str:
    """Return the table of what operators say by now that changes results."""
    rules = (one.said for one in list_rules(session))
    return write_names(one for one in rules if one.rule is not Rule.QID)


def settle_pipelines(
    session: Session, options: EnrichOptions, *, now: datetime
) -> None:
    """Make the pipelines of these options count, with the names that are in force."""
    go_by(names_in_force(session), session=session, options=options, now=now)


def go_by(
    names: str, *, session: Session, options: EnrichOptions, now: datetime
) -> None:
    """Bring a table of names into force."""
    chosen = pipelines(replace(options, names=names))
    activate(session, chosen, now=now, names=names)


def advance_jobs(
    session: Session, options: EnrichOptions, *, now: datetime, max_waiting: int
) -> int:
    """Turn ranges of jobs into work, under the names that they were ordered with."""
    settle = partial(go_by, session=session, options=options, now=now)
    return replay.advance_jobs(session, now=now, max_waiting=max_waiting, go_by=settle)
