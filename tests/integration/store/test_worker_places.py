"""Only so many processes hold a place at once; whoever ends, in whatever way, gives it back."""

import asyncio

import psycopg
from sqlalchemy.engine import make_url

from include.upgrades.adapters.postgres.worker_places import PostgresWorkerPlaces
from local.ports import free_port

HOLDERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'upgrades-place' AND datname = current_database()"


async def test_place_is_taken_while_one_is_free(postgres_url: str) -> None:
    places = PostgresWorkerPlaces(postgres_url, 2)
    async with places.take() as first, places.take() as second:
        assert (first, second) == (True, True)


async def test_place_is_not_taken_while_others_have_them_all(postgres_url: str) -> None:
    places = PostgresWorkerPlaces(postgres_url, 1)
    async with places.take() as first, places.take() as second:
        assert (first, second) == (True, False)


async def test_place_is_taken_again_when_its_holder_has_left(postgres_url: str) -> None:
    places = PostgresWorkerPlaces(postgres_url, 1)
    async with places.take() as first:
        assert first
    assert await _free_in_the_end(places)


async def test_place_is_taken_again_when_its_holder_has_died(postgres_url: str) -> None:
    places = PostgresWorkerPlaces(postgres_url, 1)
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with places.take() as first:
        assert first
        with psycopg.connect(dsn, autocommit=True) as connection:
            (pid,) = connection.execute(HOLDERS).fetchone() or (0,)
            assert connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,)).fetchone() == (True,)
        assert await _free_in_the_end(places)


async def test_place_is_taken_however_many_there_are(postgres_url: str) -> None:
    async with PostgresWorkerPlaces(postgres_url, 999_999_999).take() as taken:
        assert taken
        assert await _held(postgres_url) == 1


async def test_there_is_no_place_where_there_are_none(postgres_url: str) -> None:
    async with PostgresWorkerPlaces(postgres_url, 0).take() as taken:
        assert not taken


async def test_there_is_no_place_while_the_database_is_away(postgres_url: str) -> None:
    away = make_url(postgres_url).set(port=free_port()).render_as_string(hide_password=False)
    async with PostgresWorkerPlaces(away, 1).take() as taken:
        assert not taken


async def _held(url: str) -> int:
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        found = await connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        (number,) = await found.fetchone() or (0,)
        return int(number)


async def _free_in_the_end(places: PostgresWorkerPlaces) -> bool:
    """PostgreSQL sees only some time after it that a connection was closed."""
    async with asyncio.timeout(10):
        while True:
            async with places.take() as taken:
                if taken:
                    return True
