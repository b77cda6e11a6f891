"""Looking at feeds offline: bounded in time and memory, whatever the files hold."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from services.cli import main
from services.cli.output import ExitCode
from services.confined import ConfinedParser

RSS = """<rss version="2.0"><channel><title>Paper</title><link>https://paper.example/</link>
<language>en</language>
<item><guid>g1</guid><title>A &amp;amp; B</title><link>/1</link>
<pubDate>Wed, 04 Mar 2026 10:00:00 +0100</pubDate><author>a@b.example (Ann Lee)</author>
<description>&lt;p&gt;Short.&lt;/p&gt;</description><category>Sport</category>
<enclosure url="https://paper.example/a.mp3" length="12" type="audio/mpeg"/></item>
</channel></rss>"""
PAGE = """<!doctype html><html><head>
<link rel="alternate" type="application/rss+xml" title="News" href="/rss">
<link rel="alternate" hreflang="de" href="/de">
</head><body><a href="feed.xml">feed</a><a href="/feedback">no</a></body></html>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "feeds"
    inside.mkdir()
    (inside / "a.xml").write_text(RSS)
    (inside / "b.xml").write_text("")
    (inside / "c.json").write_text('{"title": "J", "items": [{"id": "1"}]}')
    (inside / "d.opml").write_text("<opml/>")
    return inside


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_is_walked_and_each_file_told_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["feeds", "parse", str(folder), str(folder / "gone"), "--json"])
    rss, empty, json_feed, opml, gone = lines(capsys)
    assert code == ExitCode.PROBLEMS
    assert rss["path"] == str(folder / "a.xml")
    assert (rss["format"], rss["title"], rss["bozo"]) == ("rss20", "Paper", False)
    assert rss["error"] is None
    (entry,) = rss["entries"]
    assert (
        entry.items()
        >= {
            "id": "g1",
            "url": "https://paper.example/1",
            "title": "A & B",
            "published_at": "2026-03-04T09:00:00+00:00",
            "updated_at": None,
            "author": "Ann Lee",
            "summary": "Short.",
            "text": "Short.",
            "language": "en",
            "categories": ["Sport"],
            "enclosures": [
                {
                    "url": "https://paper.example/a.mp3",
                    "media_type": "audio/mpeg",
                    "n_bytes": 12,
                }
            ],
        }.items()
    )
    for refused, reason in ((empty, "empty"), (opml, "OPML"), (gone, "No such file")):
        assert (refused["format"], refused["entries"]) == (None, [])
        assert reason in refused["error"]
    assert (json_feed["format"], json_feed["error"]) == ("json", None)


def test_files_that_are_all_feeds_are_all_well(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feeds", "parse", str(folder / "a.xml")]) == ExitCode.OK
    assert "rss20" in capsys.readouterr().out


def test_a_parser_that_does_not_answer_is_killed_and_the_walk_goes_on(
    folder: Path,
) -> None:
    os.mkfifo(folder / "never")
    with ConfinedParser(seconds=0.3) as parser:
        told = parser.describe(folder / "never")
        assert "more than 0.3 seconds" in told["error"]
        assert (told["outcome"], told["entries"]) == ("hostile", [])
    with ConfinedParser() as parser:
        assert parser.describe(folder / "never_there")["outcome"] == "unreachable"
        assert parser.describe(folder / "a.xml")["format"] == "rss20"


def test_what_takes_too_much_memory_is_told_and_the_walk_goes_on(folder: Path) -> None:
    large = folder / "large.json"
    large.write_text(json.dumps({"title": "J", "items": [{"id": 1}] * 290_000}))
    with ConfinedParser(megabytes=60) as parser:
        told = parser.describe(large)
        assert told["format"] is None
        assert "60 MB" in told["error"] or "died" in told["error"]
        assert parser.describe(folder / "a.xml")["format"] == "rss20"


def test_a_file_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    large = tmp_path / "large.xml"
    with large.open("wb") as file:
        file.truncate(10_000_001)
    with ConfinedParser() as parser:
        assert parser.describe(large)["outcome"] == "too_large"


# ---- wireroom feeds test ----


@contextmanager
def server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(301)
                self.send_header("Location", "/feed")
                self.end_headers()
                return
            bodies = {"/feed": RSS, "/page": PAGE, "/bare": "<!doctype html><p>x"}
            body = bodies.get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def test_an_address_is_explained_from_the_redirect_to_the_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path))
    with server() as url:
        blocked = main(["--json", "feeds", "test", f"{url}/feed"])
        (refused,) = lines(capsys)
        monkeypatch.setenv("WIREROOM_ALLOW_NETWORKS", "127.0.0.0/8")
        asked = ("moved", "page", "bare", "gone")
        codes = {
            name: main(["--json", "feeds", "test", f"{url}/{name}"]) for name in asked
        }
        moved, page, bare, gone = lines(capsys)
        assert main(["feeds", "test", f"{url}/feed"]) == ExitCode.OK
    assert (blocked, refused["outcome"]) == (ExitCode.PROBLEMS, "blocked")
    assert codes == {"moved": 0, "page": 0, "bare": 1, "gone": 1}
    assert (moved["status"], moved["final_url"]) == (200, f"{url}/feed")
    assert (moved["redirects"], moved["moved_for_good"]) == (
        [f"{url}/moved"],
        f"{url}/feed",
    )
    assert (moved["etag"], moved["format"], moved["key_mode"]) == (
        '"1"',
        "rss20",
        "guid",
    )
    assert (moved["n_entries"], moved["entries"][0]["url"]) == (1, f"{url}/1")
    assert [(one["why"], one["url"]) for one in page["candidates"]] == [
        ("declared", f"{url}/rss"),
        ("linked", f"{url}/feed.xml"),
    ]
    assert {one["why"] for one in bare["candidates"]} == {"a common place"}
    assert f"{url}/feed.json" in {one["url"] for one in bare["candidates"]}
    assert (gone["status"], gone["error"]) == (404, "the server answered 404")
    assert "First entries" in capsys.readouterr().out


def test_a_file_is_explained_without_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    assert main(["feeds", "test", str(page)]) == ExitCode.OK
    assert "/rss" in capsys.readouterr().out
    bomb = tmp_path / "bomb.xml"
    bomb.write_text("<rss>" + "<a>" * 500)
    assert main(["--json", "feeds", "test", str(bomb)]) == ExitCode.PROBLEMS
    (told,) = lines(capsys)
    assert (told["outcome"], told["usable"]) == ("hostile", False)
    assert "nested" in told["error"]
