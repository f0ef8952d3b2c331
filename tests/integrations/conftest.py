"""Helpers of the other Python tests are at hand here, and no cache of the user is touched."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "python"))


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_user(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        for name in ("STEMZOO_URL", "STEMZOO_OFFLINE", "STEMZOO_PUBLIC_KEY"):
            patch.delenv(name, raising=False)
        yield
