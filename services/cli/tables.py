"""Tables of names that operators hand over as files."""

from pathlib import Path

from enrich.entities.operators import MAX_TABLE_BYTES
from services.cli.output import ExitCode, Failure


def read_table(file: Path) -> str:
    """Return the content of a table of names.

    Raises:
        Failure: It cannot be read, is too large or not in UTF-8.
    """
    try:
        with file.open("rb") as stream:
            body = stream.read(MAX_TABLE_BYTES + 1)
        content = body.decode("utf-8-sig")
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", ExitCode.USAGE) from None
    except UnicodeDecodeError:
        raise Failure(f"{file}: not in UTF-8", ExitCode.USAGE) from None
    if len(body) > MAX_TABLE_BYTES:
        message = f"{file}: more than {MAX_TABLE_BYTES} bytes"
        raise Failure(message, ExitCode.USAGE)
    return content
