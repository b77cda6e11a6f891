"""What can go wrong with the store, by what the caller should do."""


class StoreError(Exception):
    """Base of the store's own errors."""


class WrongSchema(StoreError):
    """The database is not at the revision this code needs; upgrade it first."""

    def __init__(self, found: str | None, wanted: str) -> None:
        super().__init__(found, wanted)
        self.found = found
        self.wanted = wanted

    def __str__(self) -> str:
        """Say what is there, what is needed and what to do."""
        said = (
            f"the database is at revision {self.found or 'none'}, this version needs"
            f" {self.wanted}: "
        )
        if self.found and self.found > self.wanted:
            return f"{said}it was made by a newer wireroom, run that one"
        return f"{said}run `wireroom db upgrade`"


class NotFound(StoreError, LookupError):
    """There is no such row; check the name or id."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(what, key)
        self.what = what
        self.key = key

    def __str__(self) -> str:
        """Name what was looked for."""
        return f"there is no {self.what} {self.key}"


class BadQuery(StoreError, ValueError):
    """The query cannot be run as written; change it."""


class GrantRefused(StoreError):
    """The roles of the database cannot be made as asked."""


class UpgradeRefused(StoreError):
    """The database did not let the schema be changed; it is as it was before."""
