"""What a step of reviews of stories works with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from store.judge import Centroid, Clusterer
from store.words import MemberRole


@dataclass(slots=True)
class Shelf:
    """What a step of reviews works with, and what it has yet to write down."""

    session: Session
    clusterer: Clusterer
    pipeline_id: int
    now: datetime
    filled: "list[Described]" = field(default_factory=list)
    settled: list[int] = field(default_factory=list)  # as good as they stood
    changed: set[int] = field(default_factory=set)  # stories with other articles now

    def change(self, statement: Any) -> None:
        """Run a statement that changes rows, which no object in memory stands for."""
        options = {"synchronize_session": False}
        self.session.execute(statement, execution_options=options)


class Part(NamedTuple):
    """An article of a story, or a story as a whole."""

    number: int  # id of the article, or below 0 that of the story
    story_id: int
    n_articles: int
    terms: Centroid
    first_at: datetime
    last_at: datetime
    title: str  # of its first article
    role: MemberRole

    @property
    def is_article(self) -> bool:
        """Whether it is one article, and not a story."""
        return self.number > 0


class Filled(NamedTuple):
    """A story with its parts as they shall be."""

    story_id: int
    parts: list[Part]  # by time
    scores: dict[int, float]  # by number of the part
    split_from: int | None  # of a new one the story that most of it was in


class Described(NamedTuple):
    """What is to be written down of a story."""

    story: Filled
    keys: set[int]
    is_changed: bool
