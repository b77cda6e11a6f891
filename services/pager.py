"""The worker of pages: fetches the texts behind teasers, and reports what they gave."""

import asyncio
from dataclasses import replace

from celery import Celery

from ingest.fetch import FetchOptions, open_fetch
from ingest.fullpages import ACCEPT, PageMeans, fetch_pages
from ingest.messages import utc_now
from ingest.pagemessages import FetchPages
from ingest.robots import Robots
from services.guarded import Report, register_guarded
from services.ingester import fetch_options
from services.settings import Settings


def register(app: Celery, settings: Settings) -> None:
    """Give the application the task of pages."""
    options = replace(fetch_options(settings), accept=ACCEPT)
    # Always obeyed, and asked once a day by each process.
    robots = Robots(settings.user_agent)

    def fetch(command: FetchPages, report: Report) -> None:
        asyncio.run(_fetch(command, report, options, robots))

    register_guarded(app, FetchPages, fetch)


async def _fetch(
    command: FetchPages, report: Report, options: FetchOptions, robots: Robots
) -> None:
    async with open_fetch(options) as fetch:
        means = PageMeans(fetch=fetch, robots=robots, now=utc_now)
        await fetch_pages(command, means=means, emit=report)
