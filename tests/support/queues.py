"""Queues in memory: kombu keeps them, and what is in them, for the whole process."""

from celery import Celery


def empty_queues(app: Celery, *names: str) -> None:
    """Take away what other tests left in queues, whatever it is."""
    with app.connection_for_read() as connection:
        for name in names:
            connection.SimpleQueue(name).clear()
