"""Models of spaCy, transformers and GLiNER as tiers, where the library is installed.

None of them is among our requirements. Each model is made here, small, and saved.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.entities.spans import Document, EntityExtractor
from enrich.entities.tiers import describe_extractor, load_extractor
from enrich.errors import ModelUnusable
from enrich.messages import Field

# Libraries warn of each other's ages; that is not what is tested here.
pytestmark = pytest.mark.filterwarnings("default")

TEXT = "Ada Brandt left Paris, the Russian said.\n\nBrandt's IBM is in Cairo since May."
WORDS = [["Ada", "Brandt", "left", "Paris", "."], ["IBM", "'s", "May"]]
PIECES = st.lists(
    st.sampled_from(["Ada", "Brandt", "Paris", "IBM", ". ", "\n\n", "x" * 300, "'s"])
    | st.text(max_size=4)
    | st.just("\ud800"),
    max_size=60,
)


def names(extractor: EntityExtractor, text: str = TEXT) -> list[tuple[str, str]]:
    document = Document(title="", text=text, language="en")
    (extraction,) = extractor.extract([document])
    return [
        (text[span.start : span.end], span.key or span.kind.value)
        for span in extraction.spans
    ]


def check_places(extractor: EntityExtractor, title: list[str], text: list[str]) -> None:
    document = Document(title=" ".join(title), text=" ".join(text), language="en")
    one, again = extractor.extract([document, document])
    assert one == again
    ends = dict.fromkeys(Field, 0)
    for span in one.spans:
        content = document.field(span.field)
        assert ends[span.field] <= span.start < span.end <= len(content)
        assert any(map(str.isalnum, content[span.start : span.end]))
        ends[span.field] = span.end


# ---- spaCy ----


def save_spacy(folder: Path, people: str = "Ada Brandt", label: str = "PERSON") -> str:
    """Save a pipeline of rules; return its tier."""
    spacy = pytest.importorskip("spacy", reason="spaCy is not installed")
    pipeline = spacy.blank("en")
    rows = {people: label, "Paris": "GPE", "Russian": "NORP", "May": "DATE"}
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": rows[name], "pattern": name} for name in rows])
    pipeline.to_disk(folder)
    return f"spacy:{folder}"


@pytest.fixture(scope="module")
def spacy_tier(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_spacy(tmp_path_factory.mktemp("spacy") / "small")


@pytest.fixture(scope="module")
def spacy_extractor(spacy_tier: str) -> EntityExtractor:
    return load_extractor(spacy_tier)


def test_a_pipeline_of_spacy_is_a_tier(spacy_extractor: EntityExtractor) -> None:
    assert names(spacy_extractor) == [
        ("Ada Brandt", "PER"),
        ("Paris", "loc:paris"),
        ("Russian", "country:RU"),
        ("IBM", "org:ibm"),
        ("Cairo", "loc:cairo"),
    ]


def test_words_that_are_given_are_the_words_of_spacy(
    spacy_extractor: EntityExtractor,
) -> None:
    spans = spacy_extractor.find_in_words(WORDS)
    assert [(span.start, span.end) for span in spans] == [(0, 10), (16, 21), (24, 27)]


def test_a_pipeline_states_its_language(spacy_extractor: EntityExtractor) -> None:
    document = Document(title="", text="Ada Brandt schlief.", language="de")
    (extraction,) = spacy_extractor.extract([document])
    assert extraction == load_extractor("rules").extract([document])[0]
    assert "en" in spacy_extractor.info.languages


def test_spacy_is_described_without_loading_and_by_what_it_holds(
    spacy_tier: str, spacy_extractor: EntityExtractor, tmp_path: Path
) -> None:
    info = describe_extractor(spacy_tier)
    assert info == spacy_extractor.info
    assert info.name == "spacy:small"
    again = describe_extractor(save_spacy(tmp_path / "small", people="Ada B."))
    assert (again.name, again.version == info.version) == (info.name, False)


def test_a_pipeline_without_a_label_of_ours_is_refused(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy", reason="spaCy is not installed")
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ModelUnusable, match="none of our labels"):
        load_extractor(f"spacy:{tmp_path / 'blank'}")
    (tmp_path / "blank" / "config.cfg").write_text("[nlp")
    with pytest.raises(ModelUnusable, match="cannot be loaded"):
        load_extractor(f"spacy:{tmp_path / 'blank'}")


@settings(max_examples=25, deadline=None)
@given(PIECES, PIECES)
def test_spans_of_spacy_lie_in_their_field_in_order_and_apart(
    spacy_extractor: EntityExtractor, title: list[str], text: list[str]
) -> None:
    check_places(spacy_extractor, title, text)


# ---- transformers ----

VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] Ada Bra ##ndt left Paris Russian IBM May the . ,"
)
TAGS = {"Ada": "B-PER", "Bra": "I-PER", "Paris": "B-LOC", "IBM": "B-ORG"} | {
    "Russian": "B-MISC",
    "May": "B-DATE",
}


def save_transformers(folder: Path, *, size: int = 8) -> str:
    """Save a model that knows a word by itself; return its tier."""
    library: Any = pytest.importorskip("transformers", reason="no transformers here")
    torch: Any = pytest.importorskip("torch", reason="torch is not installed")
    folder.mkdir()
    words, tags = VOCABULARY.split(), ["O", *TAGS.values()]
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = library.BertTokenizerFast(
        vocab=str(folder / "vocab.txt"), do_lower_case=False, model_max_length=64
    )
    config = library.BertConfig(
        vocab_size=len(words),
        hidden_size=size,
        num_hidden_layers=0,
        num_attention_heads=1,
        id2label=dict(enumerate(tags)),
        label2id={tag: place for place, tag in enumerate(tags)},
    )
    model = library.BertForTokenClassification(config)
    with torch.no_grad():
        table = model.bert.embeddings
        for weights in (*table.parameters(), *model.classifier.parameters()):
            weights.zero_()
        table.LayerNorm.weight.fill_(1)
        model.classifier.weight.copy_(torch.eye(len(tags), size))
        for place, word in enumerate(words):
            tag = tags.index(TAGS.get(word, "O"))
            table.word_embeddings.weight[place, tag] = 1
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return f"hf:{folder}"


@pytest.fixture(scope="module")
def hf_tier(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_transformers(tmp_path_factory.mktemp("hf") / "small")


@pytest.fixture(scope="module")
def hf_extractor(hf_tier: str) -> EntityExtractor:
    return load_extractor(hf_tier)


def test_a_model_of_transformers_is_a_tier(hf_extractor: EntityExtractor) -> None:
    assert names(hf_extractor) == [
        ("Ada Brandt", "PER"),
        ("Paris", "loc:paris"),
        ("Russian", "country:RU"),
        ("Brandt", "PER"),
        ("IBM", "org:ibm"),
        ("Cairo", "loc:cairo"),
    ]
    spans = hf_extractor.find_in_words(WORDS)
    assert [(span.start, span.end) for span in spans] == [(0, 10), (16, 21), (24, 27)]


def test_more_than_the_model_reads_at_a_time_is_read_in_parts(
    hf_extractor: EntityExtractor,
) -> None:
    text = ", ".join(["Ada Brandt", "IBM"] * 60)  # 240 words; the model reads 64 pieces
    found = [kind for _, kind in names(hf_extractor, text)]
    assert found == ["PER", "org:ibm"] * 60


def test_transformers_are_described_without_loading_and_by_what_they_hold(
    hf_tier: str, hf_extractor: EntityExtractor, tmp_path: Path
) -> None:
    info = describe_extractor(hf_tier)
    assert info == hf_extractor.info
    assert info.name == "hf:small"
    again = describe_extractor(save_transformers(tmp_path / "small", size=9))
    assert again.version != info.version
    assert len(info.version) <= 60  # other versions stand beside it in one column


def test_a_model_without_a_label_of_ours_is_refused(tmp_path: Path) -> None:
    tier = save_transformers(tmp_path / "small")
    file = tmp_path / "small" / "config.json"
    config = json.loads(file.read_text())
    config["id2label"] = {place: f"LABEL_{place}" for place in config["id2label"]}
    file.write_text(json.dumps(config))
    with pytest.raises(ModelUnusable, match="none of our labels"):
        load_extractor(tier)
    (tmp_path / "small" / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(ModelUnusable, match="cannot be loaded"):
        load_extractor(tier)


def test_what_was_downloaded_before_is_known_by_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--owner--small"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots").mkdir()
    save_transformers(repository / "snapshots" / commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    extractor = load_extractor("hf:owner/small")
    assert extractor.info.name == "hf:owner/small"
    assert "-01234567-" in extractor.info.version
    assert ("Ada Brandt", "PER") in names(extractor)


@pytest.mark.parametrize("name", ["no-such/model", "a b", "a/b/c"])
def test_what_was_not_downloaded_before_is_not_downloaded_now(name: str) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    with pytest.raises(ModelUnusable, match="hf:"):
        load_extractor(f"hf:{name}")


@settings(max_examples=25, deadline=None)
@given(PIECES, PIECES)
def test_spans_of_transformers_lie_in_their_field_in_order_and_apart(
    hf_extractor: EntityExtractor, title: list[str], text: list[str]
) -> None:
    check_places(hf_extractor, title, text)


# ---- GLiNER ----


@pytest.fixture(scope="module")
def gliner_tier(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Save a model of random weights; return its tier."""
    library: Any = pytest.importorskip("gliner", reason="GLiNER is not installed")
    transformers: Any = pytest.importorskip("transformers")
    torch: Any = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("gliner") / "small"
    folder.mkdir()
    words = VOCABULARY.split()
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(
        vocab=str(folder / "vocab.txt"), do_lower_case=False, model_max_length=512
    ).save_pretrained(folder)
    encoder = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    config = {
        "model_name": str(folder),
        "encoder_config": encoder.to_dict() | {"model_type": "bert"},
        "hidden_size": 16,
        "max_width": 3,
    }
    torch.manual_seed(3)
    model = library.GLiNER.from_config(config, backbone_from_pretrained=False)
    model.save_pretrained(folder)
    return f"gliner:{folder}"


@pytest.fixture(scope="module")
def gliner_extractor(gliner_tier: str) -> EntityExtractor:
    return load_extractor(gliner_tier)


def test_a_model_of_gliner_is_a_tier(
    gliner_tier: str, gliner_extractor: EntityExtractor
) -> None:
    info = describe_extractor(gliner_tier)
    assert info == gliner_extractor.info
    assert info.name == "gliner:small"
    assert names(gliner_extractor)  # random ones
    spans = gliner_extractor.find_in_words(WORDS)
    assert all(0 <= span.start < span.end <= 34 for span in spans)


@settings(max_examples=25, deadline=None)
@given(PIECES, PIECES)
def test_spans_of_gliner_lie_in_their_field_in_order_and_apart(
    gliner_extractor: EntityExtractor, title: list[str], text: list[str]
) -> None:
    check_places(gliner_extractor, title, text)
