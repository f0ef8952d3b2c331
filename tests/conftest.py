"""What all tests share: nothing of the user's is touched."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_user(tmp_path_factory):
    """Tests neither read nor fill the cache of whoever runs them, and ask no server of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        for name in ("STEMZOO_URL", "STEMZOO_OFFLINE", "STEMZOO_PUBLIC_KEY"):
            patch.delenv(name, raising=False)
        yield
