"""The training of drift-lattice: its loss, pairs, views and network."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from stemzoo import _core
from training.networks.features import INITIAL_BLUR, FeatureNet, log_odds
from training.recipe import load_recipe
from training.recipes.drift_lattice import LONGEST_DRIFT, STRIDE, oriented_pairs
from training.simulate import cache, views
from training.simulate.crystal_pairs import SPECIMEN_KINDS
from training.simulate.lattice import random_cells
from training.simulate.scan import coefficients, sample
from training.simulate.specimen import build
from training.simulate.texture import add_texture
from training.simulate.views import draw_views

pytestmark = pytest.mark.slow

SIDE, AROUND = 64, 16  # px


def _random(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("reach", [4.0, 13.0])
def test_views_move_by_the_drift(reach):
    """moving(r) = reference(r - d), up to the scan errors."""
    better = 0
    for seed in range(6):
        views = draw_views(2, SIDE, reach, _random(seed))
        assert views.reference.shape == views.moving.shape == (2, SIDE, SIDE)
        assert views.drift.abs().max() <= reach
        assert views.reference.amax(dim=(1, 2)).allclose(torch.ones(2))
        assert views.moving.min() >= 0
        spline = coefficients(views.reference)
        inner = slice(AROUND, -AROUND)

        def error(sign, views=views, spline=spline, inner=inner):
            back = -sign * views.drift[:, :, None, None].expand(2, 2, SIDE, SIDE)
            moved = sample(spline, back[:, :, inner, inner], AROUND)
            return (moved - views.moving[:, inner, inner]).square().mean(dim=(1, 2))

        better += int((error(1) < error(-1)).sum())
    assert better >= 11


def test_views_follow_from_their_seed():
    first, again, other = (draw_views(2, 48, 4.0, _random(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.moving, again.moving)
    assert torch.equal(first.drift, again.drift)
    assert not torch.equal(first.drift, other.drift)


def test_turned_pairs_stay_pairs():
    still = torch.rand(2, 40, 40, generator=_random())
    drift = torch.tensor([[3.0, -5.0], [-2.0, 7.0]])
    shifts = [tuple(map(int, shift)) for shift in drift]
    moved = torch.stack(
        [frame.roll(shift, (0, 1)) for frame, shift in zip(still, shifts, strict=True)]
    )
    seen = set()
    for seed in range(60):
        a, b, d = oriented_pairs(still, moved, drift, _random(seed))
        for one, other, shift in zip(a, b, d, strict=True):
            assert torch.equal(one.roll(tuple(map(int, shift)), (0, 1)), other)
        seen.add(tuple(d[0].tolist()))
    assert len(seen) == 8


def test_log_odds_are_the_cores():
    maps = torch.randn(2, 4, 20, 26, generator=_random())
    found = log_odds(maps[:1], maps[1:], 6)
    made = [_core.Features(part.numpy(), (6, 6), 1) for part in maps]
    np.testing.assert_allclose(found[0], _core.log_odds(*made, 1), atol=1e-3)


def _features(drift, count=2):
    """Maps of one bright spot that moved by `drift` px of a frame of 256 px."""
    maps = torch.zeros(2, 2, 128, 128)
    maps[0, 0, 64, 64] = 4.0
    maps[1, 0, 64 + drift[0] // STRIDE, 64 + drift[1] // STRIDE] = 4.0
    return maps


def test_the_loss_prefers_the_true_drift():
    recipe = load_recipe("drift-lattice")
    truth = torch.tensor([[20.0, -34.0]])
    right, wrong, unsure = (
        float(recipe.loss(maps, truth))
        for maps in (_features((20, -34)), _features((-20, 34)), torch.zeros(2, 2, 128, 128))
    )
    assert right < unsure < wrong
    # The mixture with a uniform distribution bounds the loss of a wrong pair.
    louder = float(recipe.loss(2 * _features((-20, 34)), truth))
    assert louder < wrong + 0.5


def test_the_loss_reads_between_features():
    recipe = load_recipe("drift-lattice")
    maps = torch.zeros(2, 2, 128, 128)
    maps[0, 0, 64, 64] = 4.0
    maps[1, 0, 64:66, 64] = 4.0
    losses = [float(recipe.loss(maps, torch.tensor([[dy, 0.0]]))) for dy in (0.0, 1.0, 2.0, 6.0)]
    assert losses[3] > max(losses[:3]) + 1
    assert max(losses[:3]) < 3


def test_views_leave_out_what_models_are_tried_on(monkeypatch):
    """Dumbbells, perovskites, grains and a particle on carbon are never trained on."""
    seen = []

    def cells(batch, spacing, random, zones):
        seen.extend(zone.crystal for zone in zones)
        return random_cells(batch, spacing, random, zones)

    def specimen(cells, size, random, flaws, borders):
        assert not set(borders) & {"grain", "interface"}
        particles.append(flaws["particle"] > 0)
        return build(cells, size, random, flaws, borders)

    def textured(image, random, ground):
        assert not (particles[-1] & (ground["film"] > 0)).any()
        return add_texture(image, random, ground)

    particles: list[torch.Tensor] = []
    monkeypatch.setattr(views, "random_cells", cells)
    monkeypatch.setattr(views, "build", specimen)
    monkeypatch.setattr(views, "add_texture", textured)
    random = _random()
    for _ in range(12):
        draw_views(4, 48, 4.0, random)
    assert len(set(seen)) > 10
    assert not set(seen) & {
        *SPECIMEN_KINDS["dumbbells"].crystals,
        *SPECIMEN_KINDS["perovskites"].crystals,
    }
    assert any(found.any() for found in particles)


def test_the_network_starts_from_its_even_part():
    """The linear path smooths it; the body's contribution is small before training."""
    seen = torch.randn(1, 3, 32, 40, generator=_random())
    network = FeatureNet(4, 8)
    seen[:, 2] = 1.5 * seen[:, 0]  # its weighted signal on columns
    with torch.no_grad():
        network.body[-1].weight.zero_()
        network.body[-1].bias.zero_()
        maps = network(seen)
    assert maps.shape == (1, 4, 32, 40)
    smooth = torch.tensor(INITIAL_BLUR)
    even = functional.conv2d(seen[:, 2:], torch.outer(smooth, smooth)[None, None], padding=2)
    np.testing.assert_allclose(maps[0, 0], even[0, 0], atol=1e-5)
    assert not maps[0, 1:].any()


def test_a_step_is_looks_at_noisy_pairs(monkeypatch):
    monkeypatch.setattr("training.recipes.drift_lattice.RENDERED_AT_ONCE", 2)
    recipe = load_recipe("drift-lattice", batch_size=1)
    recipe.prepare(torch.device("cpu"), smoke=True)
    looks, drift = recipe.batch(3)
    assert looks.shape == (2, 3, 128, 128)
    assert drift.shape == (1, 2)
    assert drift.abs().max() <= LONGEST_DRIFT
    again, _ = recipe.batch(3)
    assert torch.equal(looks, again)
    assert not torch.equal(looks, recipe.batch(4)[0])


def test_views_are_rendered_once_for_the_same_settings(tmp_path, capsys):
    rendered = []

    def render():
        rendered.append(len(rendered))
        return {"drift": torch.full((2,), float(len(rendered)))}

    first = cache.views(render, ("settings", 3), tmp_path)
    again = cache.views(render, ("settings", 3), tmp_path)
    other = cache.views(render, ("settings", 4), tmp_path)
    assert rendered == [0, 1]
    assert torch.equal(first["drift"], again["drift"])
    assert not torch.equal(first["drift"], other["drift"])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pt", ".pt"]


def test_a_render_that_fails_leaves_nothing(tmp_path):
    class Unwilling(Exception):
        pass

    def render():
        raise Unwilling

    with pytest.raises(Unwilling):
        cache.views(render, (), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_cache_reads_every_module_that_renders_views():
    """A needed module missing from the digest would leave outdated pictures in the cache."""
    folder = Path(cache.__file__).parent
    needed, open_ = set(), {"views"}
    while open_:
        name = open_.pop()
        needed.add(name)
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(
                "training.simulate."
            ):
                open_ |= {str(node.module).rpartition(".")[2]} - needed
    assert needed <= set(cache.VIEW_SOURCES)
