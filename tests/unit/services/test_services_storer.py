"""What a store process asks for before it takes work."""

from pathlib import Path

import pytest
from celery import Celery

from enrich.errors import ModelUnusable
from services import storer
from services.settings import load_settings


def test_a_store_process_without_the_installed_model_does_not_start(
    tmp_path: Path,
) -> None:
    settings = load_settings(home=tmp_path, entity_tier=f"spacy:{tmp_path}/none")
    with pytest.raises(ModelUnusable, match="spacy:"):
        storer.register(Celery(), settings)
    assert list(tmp_path.iterdir()) == []
