"""A real PostgreSQL that is away in one of many ways: its messages are held."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import IntegrityError
from support.postgresql import libpq
from support.queues import empty_queues

from ingest.filemessages import FileRead, FilesRead
from ingest.messages import FileOutcome, utc_now
from services import routes, wire
from services.app import make_app
from services.away import is_database_away
from services.guarded import run_guarded
from services.settings import Settings
from store.engine import open_engine, transaction

pytestmark = pytest.mark.integration

Admin = psycopg.Connection[Any]

EVENT = FilesRead(
    read_at=utc_now(),
    reads=(FileRead(file_id=1, path="/1", outcome=FileOutcome.EMPTY),),
)


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    made = open_engine(postgres_url, pool_size=1)
    with transaction(made) as session:
        session.execute(text("CREATE TABLE t (x int NOT NULL)"))
    yield made
    made.dispose()


@pytest.fixture
def admin(postgres_url: str) -> Iterator[Admin]:
    with psycopg.connect(libpq(make_url(postgres_url)), autocommit=True) as made:
        yield made


def write(engine: Engine, value: str = "1") -> None:
    with transaction(engine) as session:
        session.execute(text(f"INSERT INTO t VALUES ({value})"))  # noqa: S608 - ours


def become_standby(engine: Engine, _admin: Admin) -> None:
    """Answer on the pooled connection as a standby does, and on no other."""
    with engine.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = on"))
        connection.commit()
    write(engine)


def throw_out(engine: Engine, admin: Admin) -> None:
    """End the session in the middle of its work."""
    with transaction(engine) as session:
        pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        admin.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])
        session.execute(text("INSERT INTO t VALUES (1)"))


def let_nobody_in(engine: Engine, admin: Admin) -> None:
    """Refuse connections, as a server does that is starting, full or out of reach."""
    name = admin.info.dbname
    engine.dispose()
    with psycopg.connect(admin.info.dsn, dbname="postgres", autocommit=True) as other:
        other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            write(engine)
        finally:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def cancel(engine: Engine, _admin: Admin) -> None:
    """Let a statement take longer than it may."""
    with transaction(engine) as session:
        session.execute(text("SET LOCAL statement_timeout = 1"))
        session.execute(text("SELECT pg_sleep(60)"))


@pytest.mark.parametrize("fault", [become_standby, throw_out, let_nobody_in, cancel])
def test_a_message_is_held_while_postgresql_cannot_be_written_to(
    engine: Engine, admin: Admin, fault: Callable[[Engine, Admin], None]
) -> None:
    app = make_app(Settings(broker_url="memory://"))
    empty_queues(app, routes.STORE_BULK)
    payload = wire.encode(EVENT)

    run_guarded(app, FilesRead, payload, lambda _event, _report: fault(engine, admin))

    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(routes.STORE_BULK)
        message = queue.get(timeout=5)
        message.ack()
        assert not queue.qsize()
    headers: dict[str, Any] = message.headers
    assert (headers["task"], headers["retries"]) == ("store.save_files", 1)
    assert message.payload[0] == [payload]
    # Once it is back, or another one has taken its place, work goes on.
    write(engine)


def test_a_value_that_postgresql_refuses_is_no_reason_to_wait(engine: Engine) -> None:
    with pytest.raises(IntegrityError) as refusal:
        write(engine, "NULL")

    assert not is_database_away(refusal.value)


def test_of_several_servers_the_one_that_can_be_written_to_is_found(
    engine: Engine, admin: Admin
) -> None:
    here = f"{admin.info.host}:{admin.info.port}"
    several = {"host": ("/nowhere:5432", here), "target_session_attrs": "read-write"}
    url = engine.url._replace(host=None, port=None).set(query=several)
    other = open_engine(url.render_as_string(hide_password=False))

    write(other)

    other.dispose()
