"""Errors of enrichment, by what the caller should do about them."""

from enrich.messages import Pipeline


class EnrichError(Exception):
    """Base of everything that enrich raises on purpose."""


class PipelineMismatch(EnrichError):
    """The command wants results that this worker's pipelines do not make.

    The work is sound and another worker can do it: send it back, do not fail it.
    """

    def __init__(self, wanted: Pipeline, have: Pipeline) -> None:
        super().__init__(wanted, have)
        self.wanted = wanted
        self.have = have

    def __str__(self) -> str:
        """Name both sides."""
        return (
            f"stage {self.wanted.stage}: the command wants"
            f" {self.wanted.name} {self.wanted.version},"
            f" this worker has {self.have.name} {self.have.version}"
        )


class BadNameTable(EnrichError):
    """An operator's table of names has a line that cannot be used, or no sense."""

    def __init__(self, line_number: int, reason: str) -> None:
        super().__init__(line_number, reason)
        self.line_number = line_number
        self.reason = reason

    def __str__(self) -> str:
        """Say where and why."""
        line = f", line {self.line_number}" if self.line_number else ""
        return f"table of names{line}: {self.reason}"


class BadLabelledText(EnrichError):
    """A file of labelled sentences has a line that cannot be used."""

    def __init__(self, line_number: int, reason: str) -> None:
        super().__init__(line_number, reason)
        self.line_number = line_number
        self.reason = reason

    def __str__(self) -> str:
        """Say where and why."""
        return f"labelled text, line {self.line_number}: {self.reason}"


class ModelDamaged(EnrichError):
    """The file of a trained model is not the one that its card describes."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        """Say which and why."""
        return f"entity model {self.name}: {self.reason}; install wireroom anew"


class UnknownTier(EnrichError):
    """The options name a tier of entity recognition that does not exist."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name = name
        self.known = known

    def __str__(self) -> str:
        """Name the choices."""
        return f"no entity tier {self.name!r}; known: {', '.join(self.known)}"


class ModelUnusable(EnrichError):
    """The options name a tier whose model or library is missing or of no use."""

    def __init__(self, tier: str, reason: str, advice: str = "") -> None:
        super().__init__(tier, reason, advice)
        self.tier = tier
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        """Say why, and what helps."""
        advice = f"; {self.advice}" if self.advice else ""
        return f"entity tier {self.tier!r}: {self.reason}{advice}"


class EncoderUnusable(EnrichError):
    """Stories are to have sentence embeddings, and what makes them is not there."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        """Say why, and what helps."""
        return f"sentence embeddings: {self.reason}; {self.advice}"
