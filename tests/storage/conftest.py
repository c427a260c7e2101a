"""The two databases that the storage suite runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.storage import PostgresStorage, SqliteStorage, Storage


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "sqlite":
        return SqliteStorage(tmp_path / "veche.db")
    return PostgresStorage(request.getfixturevalue("postgres_url"))
