"""What an operator says of names, for recognisers under test."""

from enrich.entities.operators import compile_names, read_names
from enrich.entities.tables import Alias


def operator_aliases(content: str) -> tuple[Alias, ...]:
    """Return the aliases of a table."""
    return compile_names(read_names(content)).aliases
