"""The published system of Vasudevan & Jesse: its images, its pairs and its networks."""

import numpy as np
import pytest
import torch

import stemzoo
from stemzoo.registration.shifting import peak
from training.evaluation.models.vasudevan_drift import unseen, within
from training.experiments.vasudevan_comparison import compare
from training.networks.vasudevan import ORIENTATIONS, oriented, oriented_drift, original_drift
from training.recipe import load_recipe
from training.simulate.hexagons import (
    MAX_DRIFT,
    SPACING_RANGE,
    add_noise,
    coverage,
    draw_columns,
    draw_pairs,
    picture,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def random():
    return torch.Generator().manual_seed(3)


def test_columns_stand_on_a_hexagonal_lattice(random):
    columns = draw_columns(6, 64, 0.0, random)
    for index in range(6):
        there = columns.height[index] > 0
        places = torch.stack([columns.y[index], columns.x[index]], 1)[there]
        inner = ((places > 20) & (places < 44)).all(1)
        nearest = torch.cdist(places[inner], places).sort(dim=1).values[:, 1:8]
        spacing = nearest[:, :6].mean()
        assert SPACING_RANGE[0] <= spacing <= SPACING_RANGE[1]
        torch.testing.assert_close(
            nearest[:, :6], spacing.expand(len(nearest), 6), atol=1e-3, rtol=0
        )
        assert (nearest[:, 6] > 1.7 * spacing).all()


def test_a_picture_is_full_wherever_it_drifts(random):
    columns = draw_columns(8, 64, 0.0, random)
    for corner in ((MAX_DRIFT, MAX_DRIFT), (-MAX_DRIFT, MAX_DRIFT), (-MAX_DRIFT, -MAX_DRIFT)):
        image = picture(columns, 64, torch.tensor([corner]).expand(8, 2))
        for edge in (image[:, :16], image[:, -16:], image[:, :, :16], image[:, :, -16:]):
            assert (edge.amax((1, 2)) > 0.9).all()


def test_a_drift_moves_features_by_it(random):
    columns = draw_columns(4, 64, 1.0, random)
    moved = picture(columns, 64, torch.tensor([[5.0, -3.0]]).expand(4, 2))
    torch.testing.assert_close(
        moved[:, 5:, :-3], picture(columns, 64)[:, :-5, 3:], atol=1e-5, rtol=0
    )


def test_half_a_pixel_is_half_a_pixel(random):
    columns = draw_columns(4, 64, 0.0, random)
    there = picture(columns, 64, torch.tensor([[0.5, 0.0]]).expand(4, 2))
    back = picture(columns, 64, torch.tensor([[-0.5, 0.0]]).expand(4, 2))
    torch.testing.assert_close(there[:, 1:], back[:, :-1], atol=1e-5, rtol=0)


def test_a_moved_border_uncovers_what_it_left(random):
    covered = coverage(torch.tensor([[5.25, -3.0], [0.0, 0.0]]), 64)
    assert covered[1].eq(1).all()
    assert covered[0, :5].eq(0).all()
    assert covered[0, 5, :61].eq(0.75).all()
    assert covered[0, 6:, :61].eq(1).all()
    assert covered[0, :, 61:].eq(0).all()


def test_faults_take_columns_away_from_every_faulty_lattice():
    whole, faulty = (
        draw_columns(20, 64, share, torch.Generator().manual_seed(1)) for share in (0.0, 1.0)
    )
    assert (faulty.height.sum(1) < whole.height.sum(1)).all()
    assert (faulty.height.sum(1) > 0.5 * whole.height.sum(1)).all()


def test_noise_is_uniform_and_of_the_strength_asked_for(random):
    noise = add_noise(torch.zeros(2, 200, 200), torch.tensor([0.5, 2.0]), random)
    for image, strength in zip(noise, (0.5, 2.0), strict=True):
        assert image.min() >= 0
        assert 0.99 * strength < image.max() <= strength
        assert image.std() == pytest.approx(strength / 12**0.5, rel=0.02)


def test_the_noise_of_a_pair_is_fresh(random):
    pairs = draw_pairs(4, 64, 0.0, 0.0, random)
    noise = pairs.moving - pairs.reference
    assert (noise.std(dim=(1, 2)) > 0.02).all()


@pytest.mark.parametrize("turn", range(ORIENTATIONS))
def test_turning_a_surface_turns_its_drift(turn, random):
    pairs = draw_pairs(6, 64, 0.0, 0.0, random)
    frames = torch.stack([pairs.reference, pairs.moving], 1)
    surfaces = torch.stack(
        [torch.from_numpy(stemzoo.ncc(a.numpy(), b.numpy(), 12)) for a, b in frames]
    )[:, None]
    found, swapped = oriented(surfaces, turn), oriented(frames, turn)
    drift = oriented_drift(pairs.drift, turn)
    for surface, (still, moved) in zip(found, swapped, strict=True):
        expected = stemzoo.ncc(still.contiguous().numpy(), moved.contiguous().numpy(), 12)
        np.testing.assert_allclose(surface[0], expected, atol=1e-5)
    torch.testing.assert_close(original_drift(drift, turn), pairs.drift)
    # If the highest peak is right, it is also right for the oriented surface and drift.
    before = [
        np.linalg.norm(np.subtract(peak(s[0].numpy()), d)) < 1
        for s, d in zip(surfaces, pairs.drift.numpy(), strict=True)
    ]
    after = [
        np.linalg.norm(np.subtract(peak(s[0].contiguous().numpy()), d)) < 1
        for s, d in zip(found, drift.numpy(), strict=True)
    ]
    assert before == after


def test_the_network_says_drift_and_positive_sigma():
    network = load_recipe("vasudevan-drift").network()
    surfaces = torch.rand(3, 1, 65, 65) * torch.tensor([0.0, 1.0, 1e-9])[:, None, None, None]
    drift, sigma = network(surfaces)
    assert drift.shape == sigma.shape == (3, 2)
    assert torch.isfinite(drift).all()
    assert (sigma > 0).all()
    layers = [type(layer).__name__ for layer in network.modules()]
    assert (layers.count("Conv2d"), layers.count("Linear")) == (4, 3)


def test_a_trained_network_reads_a_turned_surface_as_its_drift_turned():
    network = load_recipe("vasudevan-drift").network().eval()
    surfaces = torch.rand(3, 1, 65, 65)
    drift, sigma = network(surfaces)
    for turn in range(ORIENTATIONS):
        there, spread = network(oriented(surfaces, turn))
        torch.testing.assert_close(there, oriented_drift(drift, turn), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(spread, oriented_drift(sigma, turn).abs(), atol=1e-4, rtol=1e-4)


def test_short_drifts_can_be_asked_for(random):
    pairs = draw_pairs(50, 64, 0.5, 0.5, random, max_drift=3.0)
    assert 2 < pairs.drift.abs().max() <= 3


def test_a_scaled_surface_reads_the_same():
    network = load_recipe("vasudevan-drift").network()
    surface = torch.rand(1, 1, 65, 65)
    for one, other in zip(network(surface), network(0.3 * surface - 0.1), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_the_loss_is_least_at_the_truth_and_at_the_right_sigma():
    recipe = load_recipe("vasudevan-drift")
    truth = torch.distributions.Laplace(0.0, 2.0).sample((100_000, 2))
    zero = torch.zeros_like(truth)
    right = recipe.loss((zero, torch.full_like(truth, 2 * 2**0.5)), truth)
    for drift, sigma in ((0.0, 2.0), (0.0, 4.0), (1.0, 2.8)):
        wrong = recipe.loss((zero + drift, torch.full_like(truth, sigma)), truth)
        assert wrong > right


def test_within_counts_the_length_of_the_error():
    found = [(0.3, 0.3), (0.4, 0.4), (0.0, 1.9), (5.0, 0.0)]
    assert within(found, np.zeros((4, 2))) == {"0.5": 0.25, "1": 0.5, "2": 0.75}


def test_unseen_pairs_are_the_same_every_time_and_as_asked():
    first, again = unseen("border", True, 150), unseen("border", True, 150)
    assert torch.equal(first.moving, again.moving)
    assert len(first.drift) == 150
    assert first.drift.abs().max() <= MAX_DRIFT


def test_the_pairs_that_were_made_are_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("training.recipes.vasudevan_drift.PAIR_CACHE", tmp_path)
    recipe = load_recipe("vasudevan-drift", pairs=8, batch_size=4, denoiser="")
    recipe.prepare(torch.device("cpu"), smoke=False)
    made = [recipe.batch(step) for step in range(3)]
    assert "8 of 8" in capsys.readouterr().out
    recipe.prepare(torch.device("cpu"), smoke=False)
    assert not capsys.readouterr().out
    for step, (given, drift) in enumerate(made):
        assert torch.equal(recipe.batch(step)[0], given)
        assert torch.equal(recipe.batch(step)[1], drift)
    other = load_recipe("vasudevan-drift", pairs=8, batch_size=4, denoiser="", faulty=1.0)
    other.prepare(torch.device("cpu"), smoke=False)
    assert len(list(tmp_path.iterdir())) == 2


def test_settings_that_make_no_sense_are_named():
    with pytest.raises(SystemExit, match="input is 'frames'; expected surface or pair"):
        load_recipe("vasudevan-drift", input="frames")
    with pytest.raises(SystemExit, match="takes one side only"):
        load_recipe("vasudevan-drift", input="pair")


def test_the_comparison_tries_all_systems_on_the_same_pairs(tmp_path, monkeypatch):
    monkeypatch.setattr("training.recipes.vasudevan_drift.PAIR_CACHE", tmp_path / "pairs")
    found = compare(steps=3, pairs=64, runs=tmp_path, count=10)
    assert [row["key"] for row in found["rows"]] == [
        "chain",
        "chain peak",
        "noisy",
        "noisy peak",
        "pair",
    ]
    for row in found["rows"]:
        for moved in ("border", "window"):
            assert 0 <= row[moved]["0.5"] <= row[moved]["2"] <= 1
