"""Who is at work: the name under which the operators' log has a change."""

import getpass
import os
import socket


def operator_name(chosen: str | None) -> str:
    """Return the name that was set, or else that of the account and the machine."""
    if chosen:
        return chosen
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        # In a container, an account may have a number and no name.
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
