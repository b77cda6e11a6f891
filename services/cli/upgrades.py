"""Upgrades of the schema, each with its row in the operators' log."""

from dataclasses import dataclass

from ingest.messages import utc_now
from services.operator import operator_name
from services.settings import Settings
from store import maintenance, schema
from store.engine import open_engine
from store.journal import Action, Deed, about, record_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade found and left behind."""

    before: str | None  # revision; None for an empty database
    after: str | None
    partitions: list[str]  # that were made, by name
    unlogged: bool  # there was something to write down, and no log to write into


def upgrade_schema(settings: Settings) -> Upgraded:
    """Bring the schema and its partitions up to date, and write down what changed.

    Raises:
        WrongSchema: The database was made by a newer version than this one.
        UpgradeRefused: Somebody holds a lock for too long, or the role may not do it.
    """
    done = schema.upgrade(settings.database_url)
    engine = open_engine(settings.database_url)
    try:
        made = maintenance.make_partitions(engine, now=utc_now())
        deed = Deed(
            action=Action.DB_UPGRADE,
            subject=about("schema", [done.after]),
            before={"revision": done.before},
            after={"revision": done.after, "partitions": made},
        )
        actor = operator_name(settings.operator)
        unlogged = bool(made or done.n_steps) and not record_after(
            engine, deed, actor=actor, now=utc_now()
        )
    finally:
        engine.dispose()
    return Upgraded(
        before=done.before, after=done.after, partitions=made, unlogged=unlogged
    )
