"""What the compose file promises: health, order, least privilege, bounded appetite."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
STORES = {"postgres", "redis"}
AT_START = ("roles", "migrate", "grants")  # one after the other
ONE_OFF = {*AT_START, "cli"}
ROLES = {"ingest", "ingest-bulk", "enrich-live", "enrich-bulk", "store", "beat"}
MEGABYTES = {"m": 1, "mb": 1, "g": 1024}

every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_role = pytest.mark.parametrize("name", sorted(ROLES))


def megabytes(size: str) -> int:
    found = re.fullmatch(r"(\d+)(m|mb|g)", size)
    assert found, size
    return int(found[1]) * MEGABYTES[found[2]]


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_the_file_keeps_the_compose_schema() -> None:
    checker = [sys.executable, "-m", "check_jsonschema"]
    check = subprocess.run(
        [*checker, "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout


def test_every_role_of_the_line_has_a_service_and_there_are_no_others() -> None:
    assert set(SERVICES) == STORES | ONE_OFF | ROLES


@every_service
def test_every_service_runs_without_privileges(name: str) -> None:
    service = SERVICES[name]
    assert not service["user"].startswith(("0", "root"))
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "no-new-privileges:true" in service["security_opt"]


@every_service
def test_every_service_has_limits(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert SERVICES[name]["logging"]["options"]["max-size"]


@every_service
def test_no_service_publishes_a_port(name: str) -> None:
    assert "ports" not in SERVICES[name]
    assert "network_mode" not in SERVICES[name]


@every_service
def test_every_service_that_stays_up_has_a_health_check_and_is_restarted(
    name: str,
) -> None:
    service = SERVICES[name]
    if name in ONE_OFF:
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        assert service["healthcheck"]["start_period"]


@every_role
def test_a_role_is_healthy_by_its_own_sign_of_life(name: str) -> None:
    test = SERVICES[name]["healthcheck"]["test"]
    # An alarm about the whole must not make a restart of one part look like a cure.
    assert test == ["CMD", "wireroom", "health", "--processes"]


@every_role
def test_a_role_waits_for_a_broker_that_answers(name: str) -> None:
    waits = SERVICES[name]["depends_on"]
    assert waits["redis"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", ["store", "cli"])
def test_who_speaks_sql_waits_for_the_migration(name: str) -> None:
    waits = SERVICES[name]["depends_on"]
    assert waits["grants"] == {"condition": "service_completed_successfully"}


def test_roles_are_made_then_the_schema_and_then_its_rights() -> None:
    roles, migrate, grants = (SERVICES[name] for name in AT_START)
    assert roles["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert migrate["command"] == ["db", "upgrade"]
    done = {"condition": "service_completed_successfully"}
    assert migrate["depends_on"]["roles"] == done
    assert grants["depends_on"]["migrate"] == done
    assert roles["command"] == grants["command"]
    assert (grants["command"][0], grants["command"][-1]) == ("grants", "--apply")


# Who speaks SQL, and as which role of the three that `wireroom grants` makes.
SPEAKS_AS = {
    "roles": "postgres",
    "migrate": "wireroom_migrate",
    "grants": "wireroom_migrate",
    "store": "wireroom_app",
    "cli": "wireroom_app",
}


def user_of(url: str) -> str:
    return url.partition("://")[2].partition("@")[0].partition(":")[0]


def test_each_speaks_to_the_database_with_the_least_that_it_needs() -> None:
    urls = {
        name: one["environment"].get("WIREROOM_DATABASE_URL")
        for name, one in SERVICES.items()
        if name not in STORES
    }
    assert {name: user_of(url) for name, url in urls.items() if url} == SPEAKS_AS
    made = {one.partition("=")[2] for one in SERVICES["roles"]["command"] if "=" in one}
    assert made == {"wireroom_migrate", "wireroom_app", "wireroom_read"}
    read = SERVICES["cli"]["environment"]["WIREROOM_READ_DATABASE_URL"]
    assert user_of(read) == "wireroom_read"


def test_only_the_one_who_makes_roles_knows_the_superuser() -> None:
    known = {
        name
        for name, one in SERVICES.items()
        if "${POSTGRES_PASSWORD" in str(one.get("environment"))
    }
    assert known == {"postgres", "roles"}
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == "postgres"


@every_role
def test_a_role_has_the_time_to_return_its_messages(name: str) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) >= 40


def test_each_queue_has_a_worker_and_live_never_shares_with_bulk() -> None:
    workers = {name: SERVICES[name]["command"] for name in ROLES - {"beat"}}
    assert {name: option(line, "--queues") for name, line in workers.items()} == {
        "ingest": "ingest,pages",
        "ingest-bulk": "ingest.bulk",
        "enrich-live": "enrich.live",
        "enrich-bulk": "enrich.bulk",
        "store": "store,store.bulk",
    }
    assert SERVICES["beat"]["command"] == ["beat"]


@pytest.mark.parametrize("name", sorted(ROLES - {"store"}))
def test_only_the_store_can_reach_the_database_or_knows_its_password(name: str) -> None:
    service = SERVICES[name]
    assert "database" not in service["networks"]
    assert not {"WIREROOM_DATABASE_URL", "PGPASSWORD"} & set(service["environment"])
    assert "POSTGRES_" not in str(service["environment"])


def test_only_ingest_reaches_the_world() -> None:
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]
    inner = {name for name, network in networks.items() if network.get("internal")}
    assert inner == {"broker", "database"}
    outward = {name for name, one in SERVICES.items() if set(one["networks"]) - inner}
    assert outward == {"ingest"}


def test_passwords_are_asked_for_and_never_written_down() -> None:
    names = re.findall(r"\$\{(\w+)(:\?)?", COMPOSE.read_text())
    asked_for = {name for name, required in names if required}
    assert asked_for == {
        "POSTGRES_PASSWORD",
        "POSTGRES_MIGRATE_PASSWORD",
        "POSTGRES_APP_PASSWORD",
        "POSTGRES_READ_PASSWORD",
        "REDIS_PASSWORD",
    }
    assert not {name for name, required in names if not required} & asked_for
    url = SERVICES["store"]["environment"]["WIREROOM_DATABASE_URL"]
    assert ":" not in url.partition("://")[2].partition("@")[0]


def test_redis_keeps_its_data_and_refuses_rather_than_forgets() -> None:
    redis = SERVICES["redis"]
    command = redis["command"]
    assert option(command, "--appendonly") == "yes"
    assert option(command, "--appendfsync") == "everysec"
    assert option(command, "--maxmemory-policy") == "noeviction"
    assert redis["volumes"] == ["redis:/data"]
    limit = redis["deploy"]["resources"]["limits"]["memory"]
    # A rewrite of the append-only file may double what Redis holds.
    assert megabytes(option(command, "--maxmemory")) * 2 <= megabytes(limit)


def test_nothing_but_marked_folders_can_be_written() -> None:
    for name in ROLES | ONE_OFF:
        volumes = SERVICES[name].get("volumes", [])
        assert all(volume.endswith(":ro") for volume in volumes), name
        assert any(
            mount.startswith("/var/lib/wireroom:") for mount in SERVICES[name]["tmpfs"]
        )
