"""Relations: what must hold between settings that are each fine by themselves."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.settings import Settings

# Redelivery must not start while a task may still run: one task in hand, one
# prefetched behind it, and time for clocks and acknowledgements.
VISIBILITY_MARGIN_SECONDS = 30
_PROXY = re.compile(r"http://[^/?#\s]+/?")


def relations(settings: "Settings") -> Iterator[tuple[bool, str]]:
    """Yield whether each relation holds, with what to say where it does not."""
    soft, hard = settings.task_soft_time_limit, settings.task_time_limit
    poll, connect = settings.poll_timeout_seconds, settings.connect_timeout_seconds
    visible = 2 * hard + VISIBILITY_MARGIN_SECONDS
    reason = f"must be below task_time_limit ({hard})"
    yield soft < hard, f"task_soft_time_limit {reason}"
    reason = f"must be above {visible} (2 x task_time_limit + margin)"
    again = "or running work is handed out again"
    yield settings.visibility_timeout > visible, f"visibility_timeout {reason}, {again}"
    reason = f"must be below task_soft_time_limit ({soft})"
    yield poll < soft, f"poll_timeout_seconds {reason}"
    reason = f"must not be above poll_timeout_seconds ({poll})"
    yield connect <= poll, f"connect_timeout_seconds {reason}"
    first, second = settings.entity_tier, settings.entity_second_tier
    yield first != second, f"entity_second_tier must not be entity_tier ({first})"
    proxy = settings.http_proxy
    is_spelt = proxy is None or _PROXY.fullmatch(proxy) is not None
    yield is_spelt, "http_proxy must be spelt http://host:port"
