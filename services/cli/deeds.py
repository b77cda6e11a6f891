"""How commands write down what they change: the operators' log."""

from ingest.messages import utc_now
from services.cli.call import Call
from store.engine import Engine, Session
from store.journal import Deed, record, record_after

NO_LOG = "there is no operators' log to write it into"


def note(session: Session, operator: str, deed: Deed) -> None:
    """Write down what is being changed, in the transaction that changes it."""
    record(session, deed, actor=operator, now=utc_now())


def note_after(call: Call, engine: Engine, deed: Deed) -> None:
    """Write down what was changed by other means; where that cannot be, say so."""
    if not record_after(engine, deed, actor=call.operator, now=utc_now()):
        call.output.say(f"{deed.action}: {NO_LOG}")
