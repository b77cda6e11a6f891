"""Copies offline are the copies that the store settles."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import aliased
from support.desk import Desk
from support.factories import NOW, article, body, entry

from services.copies import Text, find_copies, read_text
from store.engine import reading
from store.models import Article, Duplicate

Verdict = tuple[str, str, str, float]


def make_texts() -> dict[str, str]:
    """Return articles, and of each an edit, a part, a sentence and one that adds."""
    texts: dict[str, str] = {}
    for topic in ("harbour", "storm", "train", "market", "court"):
        whole = body(topic, n_words=160)
        words = whole.split()
        texts |= {
            f"{topic}-part": " ".join(words[:60]),
            f"{topic}-whole": whole,
            f"{topic}-edited": " ".join(
                "other" if n % 20 == 7 else word for n, word in enumerate(words)
            ),
            f"{topic}-sentence": " ".join(words[:18]),
            f"{topic}-more": f"{whole} {body(topic + 'more', n_words=240)}",
        }
    return texts


def settled_by_store(url: str, texts: dict[str, str]) -> list[Verdict]:
    desk = Desk(url)
    entries = [
        entry(
            name,
            article=article(name, text=text, published_at=NOW - timedelta(hours=hour)),
        )
        for hour, (name, text) in enumerate(texts.items(), start=1)
    ]
    desk.poll(*entries[::-1])
    desk.enrich()
    copy, original = aliased(Article), aliased(Article)
    query = (
        select(copy.title, original.title, Duplicate.kind, Duplicate.containment)
        .join(copy, copy.id == Duplicate.article_id)
        .join(original, original.id == Duplicate.original_id)
    )
    with reading(desk.engine) as session:
        rows = session.execute(query).all()
    desk.engine.dispose()
    return sorted((row[0], row[1], str(row[2]), round(row[3], 6)) for row in rows)


def settled_offline(texts: dict[str, str]) -> list[Verdict]:
    read: list[Text] = [
        read_text(
            number,
            title=f"Title {name}",
            text=text,
            url=f"https://news.example/{name}",
            at=NOW - timedelta(hours=number),
        )
        for number, (name, text) in enumerate(texts.items(), start=1)
    ]
    titles = {number: f"Title {name}" for number, name in enumerate(texts, start=1)}
    return sorted(
        (titles[link.number], titles[link.other], str(link.kind), round(link.score, 6))
        for link in find_copies(read)
    )


def test_the_store_settles_what_the_offline_command_says(migrated_url: str) -> None:
    texts = make_texts()
    found = settled_by_store(migrated_url, texts)
    assert found == settled_offline(texts)
    assert {kind for _, _, kind, _ in found} == {"near", "excerpt"}
