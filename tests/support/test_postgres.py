"""The tests' own PostgreSQL is a real server, apart from any other on the machine."""

import os
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres


def test_it_is_a_real_server_that_keeps_chinese_text(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE name (words TEXT)"))
        connection.execute(sqlalchemy.text("INSERT INTO name VALUES (:words)"), {"words": "龙王庙街道 䶮𬭚"})
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT words FROM name")).scalar_one() == "龙王庙街道 䶮𬭚"
        version = connection.execute(sqlalchemy.text("SHOW server_version_num")).scalar_one()
    engine.dispose()
    assert int(version) >= 150000


def test_each_test_may_have_an_empty_database_of_its_own(postgres_url: str, fresh_postgres_url: str) -> None:
    assert fresh_postgres_url != postgres_url
    with psycopg.connect(fresh_postgres_url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_it_asks_for_the_password(postgres_server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host="127.0.0.1", port=postgres_server.port, user="gridman", password="wrong", dbname="postgres"
        )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root has to step down")
def test_root_steps_down_for_the_server(postgres_server: PostgresServer) -> None:
    assert Path(f"/proc/{postgres_server.pid}").stat().st_uid != 0
