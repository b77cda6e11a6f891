"""The Celery application: every setting that differs from the default, and why."""

from typing import Any, Literal

from celery import Celery
from kombu import Exchange, Queue

from services import routes
from services.broker import DEAD_LETTERS, Sentinels
from services.settings import Settings

Pool = Literal["prefork", "solo", "threads"]

# Leaks of parsers end with the process; models of 100 MB must fit comfortably.
MAX_TASKS_PER_CHILD = 2000
MAX_KILOBYTES_PER_CHILD = 600_000
# Only quorum queues are replicated. What comes back this often is put aside and not
# dropped, which is what RabbitMQ 4 does on its own; SQL has the work either way.
RABBIT_QUEUE = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 20,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": DEAD_LETTERS,
}
# Longer than the blocking pop of one second, so that only a dead peer trips it.
SOCKET_TIMEOUT_SECONDS = 15


def make_app(settings: Settings) -> Celery:
    """Return an application that knows the queues and no task yet."""
    # Never the "current" app: a module that asks for one by accident must fail.
    app = Celery("wireroom", broker=settings.broker.url, set_as_current=False)
    app.conf.update(_queues(settings))
    app.conf.update(_tasks(settings))
    app.conf.update(_broker(settings))
    app.conf.update(_worker(settings))
    return app


def _queues(settings: Settings) -> dict[str, Any]:
    rabbit = settings.broker.is_rabbitmq
    arguments = RABBIT_QUEUE if rabbit else None
    # RabbitMQ holds messages back for an exchange of this type only.
    exchange = Exchange("wireroom", type="topic" if rabbit else "direct")
    by_clock = {task: {"queue": queue} for task, queue in routes.SCHEDULED.items()}
    return {
        # One key each: queues that share the default key would share their messages.
        "task_queues": [
            Queue(name, exchange, routing_key=name, queue_arguments=arguments)
            for name in routes.QUEUES
        ],
        "task_routes": by_clock,  # messages carry their queue, see publish.py
        # A typing error must fail, not make a queue that nobody reads.
        "task_create_missing_queues": False,
        "task_default_queue": "wireroom.default",
        "task_default_queue_type": "quorum" if rabbit else "classic",
    }


def _tasks(settings: Settings) -> dict[str, Any]:
    return {
        # Text only: a pickle from the queue could run code.
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        # Nobody waits for results, and storing them costs half as much again.
        "task_ignore_result": True,
        "result_backend": None,
        # Acknowledge after the work. The sweeper is what makes work safe; this is
        # the second line, which returns work to the queue within minutes.
        "task_acks_late": True,
        # True alone would hand a task that kills its process out for ever.
        "task_reject_on_worker_lost": False,
        # Nor does Celery try again by itself, whole batch by whole batch: SQL hears of
        # a lost process at once, and sends its work again piece by piece.
        "task_retry_on_worker_lost": False,
        # Failures are kept in SQL, never recycled by the broker.
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        # They bound the visibility timeout; settings.py checks the relation.
        "task_soft_time_limit": settings.task_soft_time_limit,
        "task_time_limit": settings.task_time_limit,
        # Brief: the rows are in SQL already, the sweeper sends them later.
        "task_publish_retry": True,
        "task_publish_retry_policy": {
            "max_retries": 3,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 1,
        },
    }


def _broker(settings: Settings) -> dict[str, Any]:
    return {
        "broker_transport_options": _transport(settings),
        "broker_use_ssl": settings.broker.tls,
        # The docs ask for it here too, beside the transport's own option.
        "visibility_timeout": settings.visibility_timeout,
        # Wait for the broker for as long as it takes, at the start and later.
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # Without it a full or demoted Redis makes every worker exit.
        "broker_channel_error_retry": True,
        # RabbitMQ: a peer that is silent for twice as long counts as dead.
        "broker_heartbeat": 30,
    }


def _transport(settings: Settings) -> dict[str, Any]:
    broker = settings.broker
    if broker.is_rabbitmq:
        return {"confirm_publish": True}  # or a lost publish goes unnoticed
    if not broker.is_redis:
        return {}
    watchers = broker.sentinels
    # retry_on_timeout stays unset: it would switch pipelined publishing off.
    return {
        "visibility_timeout": settings.visibility_timeout,
        # Look for overdue work every 10 s; the default looks every 100 s.
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        # A half-open connection is noticed, and a worker does not hang on it.
        "socket_timeout": SOCKET_TIMEOUT_SECONDS,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 15,
        # Redis may be shared with others.
        "global_keyprefix": settings.broker_key_prefix,
        "polling_interval": 1,
        # In the order of `routes.QUEUES`; by default, each queue has its turn.
        "queue_order_strategy": "priority",
        **(_watched_by(watchers) if watchers else {}),
    }


def _watched_by(sentinels: Sentinels) -> dict[str, Any]:
    # What a watcher is asked is answered at once, or it is not there.
    asked = {"socket_timeout": 5, "socket_connect_timeout": 5}
    password = {"password": sentinels.password} if sentinels.password else {}
    return {
        "master_name": sentinels.master_name,
        "sentinel_kwargs": {**asked, **password},
    }


def _worker(settings: Settings) -> dict[str, Any]:
    return {
        "worker_consumer": "services.gate:Gate",
        "worker_concurrency": settings.concurrency,
        # More in hand gains nothing that can be measured, and delays others.
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": MAX_TASKS_PER_CHILD,
        # Well below the ceiling, at which a task fails.
        "worker_max_memory_per_child": min(
            MAX_KILOBYTES_PER_CHILD, settings.task_memory_mb * 600
        ),
        # The wait for running tasks is ours (process.py), which ends as soon as
        # they do; Celery's own would always sleep for the whole time.
        "worker_soft_shutdown_timeout": 0.0,
        # Tasks are short and repeatable: let them commit.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_eta_task_limit": 200,  # each one waits in the worker's memory
        # Events cost half as much CPU again, and nothing listens.
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_enable_remote_control": True,
        # Logging is ours (telemetry.py).
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "enable_utc": True,
        "timezone": "UTC",
    }
