"""Who and what the real seed article names, from the file as it came to the keys."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.shared import shared_path

from enrich.messages import ArticleToEnrich, EnrichArticles, Entities, Lane, Stage
from enrich.pipeline import EnrichOptions, enrich, make_tools
from ingest.readers.registry import find_reader

pytestmark = pytest.mark.quality

PERSONS = {
    *("per:vladimir-putin", "per:bashar-al-assad", "per:abdel-fattah-el-sisi"),
    *("per:recep-tayyip-erdogan", "per:sergey-shoygu", "per:donald-trump"),
}
OTHERS = {
    *("country:RU", "country:SY", "country:EG", "country:TR", "country:IQ"),
    *("loc:latakia", "loc:tartus", "loc:hmeimim", "loc:cairo", "org:islamic-state"),
}
FURNITURE = ("facebook", "twitter", "whatsapp", "share", "news", "subscribe", "fbpx")


def find(tier: str) -> Entities:
    (path,) = shared_path("seeds").glob("*.txt")
    body = path.read_bytes()
    (piece,) = find_reader(body, Path(path)).read(body)
    article = ArticleToEnrich(
        article_id=1,
        revision=1,
        title=piece.title,
        text=piece.text,
        language=piece.language,
        published_at=None,
    )
    tools = make_tools(EnrichOptions(entity_tier=tier))
    wanted = tuple(one for one in tools.pipelines if one.stage is Stage.ENTITIES)
    command = EnrichArticles(lane=Lane.LIVE, pipelines=wanted, articles=(article,))
    (enriched,) = enrich(command, tools, now=datetime(2026, 3, 12, tzinfo=UTC)).articles
    assert enriched.entities is not None
    return enriched.entities


@pytest.mark.parametrize("tier", ["crf", "minilm", "rules"])
def test_the_real_seed_names_whom_it_names_under_one_key_each(tier: str) -> None:
    found = find(tier)
    keys = {entity.key for entity in found.entities}
    assert {key for key in keys if key.startswith("per:")} == PERSONS
    assert keys >= OTHERS
    assert not [key for key in keys if any(word in key for word in FURNITURE)]
