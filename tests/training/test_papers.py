"""docs/papers.md says what the committed models measured."""

import json
import shutil

import pytest

from training.papers import PAGE, PICTURES, ZOO, draw, page, systems

KNOWN = systems()


def test_the_page_is_current_with_the_committed_figures():
    assert page(KNOWN) == PAGE.read_text(), "run python -m training.papers"


@pytest.mark.parametrize("system", KNOWN, ids=[system.contract.name for system in KNOWN])
def test_every_system_has_its_table_and_its_picture(system, tmp_path):
    name = system.contract.name
    section = page([system])
    assert f"## {name} {system.contract.version}" in section
    for row in system.evaluation.published(system.metrics):
        assert f"| {' | '.join(row)} |" in section
        assert all(row)
    assert f"({PICTURES}/{name}.png)" in section
    assert (PAGE.parent / PICTURES / f"{name}.png").stat().st_size > 10_000


def test_a_picture_is_drawn_by_the_model(tmp_path):
    (system,) = (system for system in KNOWN if system.contract.name == "buban-autoencoder")
    draw(system, tmp_path)
    assert (tmp_path / "buban-autoencoder.png").stat().st_size > 10_000


def test_other_figures_make_another_page(tmp_path):
    zoo = tmp_path / "zoo"
    for name in ("buban-autoencoder", "denoise-live"):
        shutil.copytree(ZOO / name, zoo / name)
    path = zoo / "buban-autoencoder" / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["fault"][0]["elongation"] = 77.0
    path.write_text(json.dumps(metrics))
    (changed,) = systems(zoo)  # denoise-live is not a published system
    assert "truth: 77" in page([changed])
    assert "truth: 77" not in PAGE.read_text()
