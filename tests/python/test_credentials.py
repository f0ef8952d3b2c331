"""Passwords and tokens in STEMZOO_URL are shown nowhere."""

import traceback

import pytest

import stemzoo


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@x.org/z",
        "ftp://hunter2@x.org/z",
        "https://x.org/z?token=hunter2",
        "https://x.org/z#hunter2",
    ],
)
@pytest.mark.parametrize("offline", ["", "1"])
def test_a_secret_in_the_address_is_not_shown(cache, monkeypatch, caplog, url, offline):
    monkeypatch.setenv("STEMZOO_URL", url)
    monkeypatch.setenv("STEMZOO_OFFLINE", offline)
    stemzoo.models()
    with pytest.raises(stemzoo.ModelError) as refused:
        stemzoo.load("denoise-nowhere")
    said = "".join(traceback.format_exception(refused.value))
    assert "hunter2" not in said + caplog.text
    assert "x.org" in said
