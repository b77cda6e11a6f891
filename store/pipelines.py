"""Pipelines: which versions exist, which of them count."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import Session

from enrich.messages import Pipeline, Stage
from store.batches import insert_rows
from store.clauses import insert_into
from store.models import ActivePipeline
from store.models import Pipeline as Row


class Active(NamedTuple):
    """A pipeline that counts, with its row id."""

    id: int
    pipeline: Pipeline


def register(
    session: Session, pipelines: Sequence[Pipeline], *, now: datetime, names: str = ""
) -> dict[Pipeline, int]:
    """Make sure that pipelines have a row; return their ids.

    Args:
        session: In a transaction.
        pipelines: At most one a stage.
        now: The present moment.
        names: The operators' table that the one of the entities goes by.
    """
    ids = _known(session)
    # Almost always all are known, and asking costs less than writing.
    if news := set(pipelines) - ids.keys():
        rows = [
            {
                "stage": one.stage,
                "name": one.name,
                "version": one.version,
                "n_passes": one.n_passes,
                "created_at": now,
                "names": (names or None) if one.stage is Stage.ENTITIES else None,
            }
            for one in sorted(news)
        ]
        insert_rows(session, Row, rows)
        ids = _known(session)
    return {one: ids[one] for one in pipelines}


_COLUMNS = (Row.id, Row.stage, Row.name, Row.version, Row.n_passes)


def _known(session: Session) -> dict[Pipeline, int]:
    return {_pipeline(row): row.id for row in session.execute(select(*_COLUMNS))}


def _pipeline(row: Any) -> Pipeline:
    return Pipeline(
        stage=Stage(row.stage),
        name=row.name,
        version=row.version,
        n_passes=row.n_passes,
    )


def activate(
    session: Session, pipelines: Sequence[Pipeline], *, now: datetime, names: str = ""
) -> list[Pipeline]:
    """Make these the pipelines that count; return those that were not before.

    Args:
        session: In a transaction.
        pipelines: One a stage.
        now: The present moment.
        names: As for `register`.
    """
    ids = register(session, pipelines, now=now, names=names)
    before = {one.pipeline for one in active_pipelines(session)}
    changed = [one for one in pipelines if one not in before]
    if changed:
        insert = insert_into(session, ActivePipeline)
        session.execute(
            insert.on_conflict_do_update(
                index_elements=["stage"],
                set_={
                    "pipeline_id": insert.excluded.pipeline_id,
                    "since": insert.excluded.since,
                },
            ),
            [
                {"stage": one.stage, "pipeline_id": ids[one], "since": now}
                for one in changed
            ],
        )
    return changed


def active_pipelines(session: Session) -> list[Active]:
    """Return the pipelines that count, in the order of the stages."""
    query = select(*_COLUMNS).join(ActivePipeline, ActivePipeline.pipeline_id == Row.id)
    found = [Active(row.id, _pipeline(row)) for row in session.execute(query)]
    order = list(Stage)
    return sorted(found, key=lambda one: order.index(one.pipeline.stage))


def active(stage: Stage) -> ScalarSelect[int]:
    """Select the id of the pipeline of a stage that counts, to compare with."""
    found = select(ActivePipeline.pipeline_id).where(ActivePipeline.stage == stage)
    return found.scalar_subquery()


def active_id(session: Session, stage: Stage) -> int | None:
    """Return the id of the pipeline of a stage that counts."""
    return session.scalar(select(active(stage)))


def names_of(session: Session, active: Sequence[Active]) -> str:
    """Return the operators' table of names that these go by; it never changes."""
    # Apart from the pipelines, which are asked for far more often: it may be long.
    query = select(Row.names).where(Row.id.in_([one.id for one in active]))
    return "".join(names or "" for names in session.scalars(query))
