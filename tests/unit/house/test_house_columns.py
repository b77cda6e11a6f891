"""The page of tables and columns is what the models say."""

from scripts.make_columns import PAGE, page
from store.models import Base


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make columns`"


def test_every_table_and_column_is_on_it() -> None:
    text = page()
    for table in Base.metadata.tables.values():
        assert f"## {table.name}\n" in text
        for column in table.columns:
            assert f"| `{column.name}` |" in text
