"""When the database is away: one table of what databases say then.

A message that meets such an answer is held, and counts as no failure: nothing is wrong
with it. Only the store may import SQLAlchemy, and most processes never do, so errors
are known by their names and codes.
"""

# Of PostgreSQL, five letters; two stand for a whole class (its manual, appendix A).
SQLSTATES = {
    "08": "the connection failed",
    "25006": "it only reads: a standby, or a primary that was told to",
    "25P03": "it ended a transaction that was idle for too long",
    "40001": "it could not keep transactions apart, and asks to try again",
    "40P01": "transactions waited for each other",
    "53": "it lacks disk, memory or connections",
    "55P03": "somebody holds a lock for too long",
    "57014": "it cancelled a statement that took too long",
    "57P01": "it is told to shut down, or to end this session",
    "57P02": "another of its processes crashed",
    "57P03": "it is starting or shutting down",
    "57P05": "it ended a session that was idle for too long",
    "58": "its operating system failed it",
}
# Of SQLite, the lowest eight bits; the others say more of where it happened.
SQLITE_CODES = {
    5: "SQLITE_BUSY: another process writes",
    6: "SQLITE_LOCKED: another connection of this process writes",
    8: "SQLITE_READONLY: the file or its folder may only be read",
    9: "SQLITE_INTERRUPT: somebody stopped it",
    10: "SQLITE_IOERR: the disk failed it",
    13: "SQLITE_FULL: the disk is full",
    14: "SQLITE_CANTOPEN: the file is out of reach",
    15: "SQLITE_PROTOCOL: too many come at once",
}
PRIMARY_CODE = 0xFF
# Of psycopg, where no server has said a word: it cannot be reached, or has gone.
SPEECHLESS = frozenset({"OperationalError", "InterfaceError", "ConnectionTimeout"})


def is_database_away(error: BaseException) -> bool:
    """Say whether the database is out of reach, full, locked or told not to write."""
    kind = type(error)
    if kind.__module__ != "sqlalchemy.exc":
        return False
    if kind.__name__ == "TimeoutError":
        return True  # all connections of this process are in use
    return _says_so(getattr(error, "orig", None))


def _says_so(answer: object) -> bool:
    """Say the same of the driver's own error."""
    code = getattr(answer, "sqlite_errorcode", None)
    if isinstance(code, int):
        return code & PRIMARY_CODE in SQLITE_CODES
    kind = type(answer)
    if not kind.__module__.startswith("psycopg"):
        return False
    state = getattr(answer, "sqlstate", None)
    if isinstance(state, str):
        return state in SQLSTATES or state[:2] in SQLSTATES
    return kind.__name__ in SPEECHLESS
