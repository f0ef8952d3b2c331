"""The simulator: reproducible, exact where a reference exists, and within its ranges."""

import math
import re
from pathlib import Path

import pytest
import torch

from training.simulate import cache, shapes
from training.simulate.acquire import Conditions, acquire, acquire_series
from training.simulate.cache import scenes
from training.simulate.crystals import ZONES
from training.simulate.defects import particles
from training.simulate.detector import DETECTOR, electrons, record
from training.simulate.draw import draw_mix
from training.simulate.gallery import GALLERY_CRYSTAL, recorded, scanned, scene
from training.simulate.lattice import Columns, fill, real_cells, within
from training.simulate.probe import PROBE, transfer
from training.simulate.render import draw_columns
from training.simulate.scan import EDGE, SCAN, coefficients, displacements, sample
from training.simulate.scenes import SPACING_BANDS, render_crystals, render_scenes
from training.simulate.specimen import BORDERS, DEFECTS
from training.simulate.texture import TEXTURE


def _random(seed=1):
    return torch.Generator().manual_seed(seed)


def _one(name, value):
    return {name: torch.tensor([value])}


def test_a_column_is_a_gaussian_at_its_exact_place():
    size, y, x, sigma = 64, 30.37, 25.81, 1.7
    response = transfer(torch.tensor([sigma]), torch.zeros(1), size)
    columns = Columns(torch.tensor([[y]]), torch.tensor([[x]]), torch.ones(1, 1))
    image = draw_columns(columns, response, size)[0]
    rows, across = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    truth = torch.exp(-((rows - y) ** 2 + (across - x) ** 2) / (2 * sigma**2))
    # Aliasing of the cubic spline at 1.7 px is a few thousandths of the peak.
    assert (image - truth).abs().max() < 4e-3


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.name)
def test_every_crystal_is_as_wide_as_asked(zone):
    spacing = torch.tensor([9.0])
    columns = within(fill(real_cells([zone], spacing), 128, _random()), 128)
    seen = columns.weight[0] >= 0.25
    places = torch.stack([columns.y[0], columns.x[0]], -1)[seen]
    apart = torch.cdist(places, places) + 1e3 * torch.eye(len(places))
    assert apart.min().item() == pytest.approx(9.0, rel=1e-3)
    # Every corner of the square is filled.
    for corner in ((8, 8), (8, 119), (119, 8), (119, 119)):
        assert (places - torch.tensor(corner)).norm(dim=-1).min() < 25


@pytest.mark.parametrize(
    ("name", "spacing"),
    [("SrTiO3 [001]", 2.761), ("Si [110]", 1.358), ("graphene", 1.421), ("Au [111]", 1.665)],
)
def test_known_distances_between_columns(name, spacing):
    (zone,) = (entry for entry in ZONES if entry.name == name)
    assert zone.spacing == pytest.approx(spacing, abs=2e-3)


def test_scenes_are_reproducible_scaled_and_finite():
    first, again = (render_scenes(24, 96, _random()) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, render_scenes(24, 96, _random(2)))
    assert first.shape == (24, 96, 96)
    assert first.isfinite().all()
    assert first.min() >= 0
    assert first.amax(dim=(1, 2)).float().allclose(torch.ones(24), atol=1e-3)


def test_training_shows_particles_with_vacuum_between():
    columns = within(fill(real_cells(list(ZONES[:2]), torch.full((2,), 6.0)), 256, _random()), 256)
    left = particles(columns, torch.tensor([0.0, 20.0]), 256, _random())
    assert torch.equal(left.weight[0], columns.weight[0])
    there = left.weight[1] > 0
    assert 0.05 < there.sum() / (columns.weight[1] > 0).sum() < 0.35
    places = torch.stack([columns.y[1], columns.x[1]], -1)[there]
    lone = torch.cdist(places, places).lt(9).sum(1) < 2  # but for corners of small particles
    assert lone.float().mean() < 0.05


def test_cached_scenes_are_the_rendered_ones(tmp_path, monkeypatch):
    cpu = torch.device("cpu")
    rendered = scenes(8, 64, 5, cpu, folder=tmp_path)
    monkeypatch.setattr("training.simulate.cache.render_scenes", None)
    assert torch.equal(scenes(8, 64, 5, cpu, folder=tmp_path), rendered)
    with pytest.raises(TypeError):  # another seed is not in the cache
        scenes(8, 64, 6, cpu, folder=tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]


def test_the_cache_watches_all_that_renders_scenes():
    folder, needed, unread = Path(cache.__file__).parent, set(), ["scenes"]
    while unread:
        name = unread.pop()
        if name not in needed:
            needed.add(name)
            text = (folder / f"{name}.py").read_text()
            unread += re.findall(r"^from training\.simulate\.(\w+) import", text, re.M)
            for listed in re.findall(r"^from training\.simulate import (.+)$", text, re.M):
                unread += listed.split(", ")
    assert needed == set(cache.SCENE_SOURCES)


@pytest.mark.parametrize("spacing", [band for band, _ in SPACING_BANDS])
def test_every_band_holds_crystals(spacing):
    images = render_crystals(4, 128, spacing, _random())
    contrast = images.std(dim=(1, 2)) / images.mean(dim=(1, 2))
    assert (contrast > 0.02).all()


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_shows(name):
    plain = scene()
    assert torch.equal(scene(defects=_one(name, 0.0)), plain)
    assert (scene(defects=_one(name, DEFECTS[name][1])) - plain).abs().max() > 0.02


@pytest.mark.parametrize("name", BORDERS)
def test_every_border_shows_on_one_side(name):
    change = (scene(borders=[name]) - scene()).abs() > 0.1
    assert 0.05 < change.float().mean() < 0.8


@pytest.mark.parametrize("name", PROBE)
def test_every_aberration_shows(name):
    round_lens = _one("diffraction", 0.8) if name != "diffraction" else {}
    change = scene(probe=round_lens | _one(name, PROBE[name][1])) - scene(probe=round_lens)
    assert change.abs().max() > 0.01


@pytest.mark.parametrize("name", TEXTURE)
def test_every_texture_shows(name):
    assert (scene(texture=_one(name, TEXTURE[name][1])) - scene()).abs().max() > 0.05


def test_shapes_hold_blank_fields_too():
    images = shapes.random_shapes(48, 64, _random())
    assert images.isfinite().all()
    flat = (images.amax(dim=(1, 2)) - images.amin(dim=(1, 2))) < 1e-6
    assert 0 < int(flat.sum()) < 24


def test_counts_have_the_mean_and_variance_of_electrons():
    flat = torch.full((4, 512, 512), 0.5)
    peak = torch.full((4,), 40.0)
    noisy, ideal = record(flat, peak, _random())
    assert ideal.mean().item() == pytest.approx(20)
    assert noisy.var(dim=(1, 2)).tolist() == pytest.approx([20] * 4, rel=2e-2)
    strengths = {
        "gain_spread": torch.tensor([0.0, 0.5, 0, 0]),
        "readout": torch.tensor([0, 0, 0.5, 0]),
    }
    noisy, _ = record(flat, peak, _random(), strengths)
    expected = [20, 20 * 1.25, 20 + 0.25 * 40, 20]
    assert noisy.var(dim=(1, 2)).tolist() == pytest.approx(expected, rel=2e-2)


def test_the_dark_level_is_in_the_truth_and_makes_noise():
    noisy, ideal = record(
        torch.zeros(1, 256, 256), torch.tensor([50.0]), _random(), _one("bias", 0.2)
    )
    assert ideal.unique().tolist() == [10.0]
    assert noisy.var().item() == pytest.approx(10, rel=5e-2)


def test_afterglow_keeps_the_signal_and_leans_forward():
    point = torch.zeros(1, 9, 64)
    point[0, 4, 20] = 1
    seen, _ = record(point, torch.tensor([1e6]), _random(), _one("afterglow", 0.4))
    assert seen.sum().item() == pytest.approx(1e6, rel=1e-2)
    assert seen[0, 4, 20].item() == pytest.approx(0.6e6, rel=1e-2)
    assert seen[0, 4, :20].abs().max() < 1
    assert seen[0, 4, 21] > seen[0, 4, 25] > 0


@pytest.mark.parametrize("name", DETECTOR)
def test_every_detector_effect_shows(name):
    strong = _one(name, DETECTOR[name][1])
    assert not torch.equal(recorded(strong, 200.0), recorded({}, 200.0))


def test_saturation_and_quantisation():
    clipped = recorded(_one("saturation", 0.6), 1e4)
    assert (clipped == clipped.max()).float().mean() > 0.005
    assert len(recorded(_one("bits", 8.0), 1e6).unique()) <= 256


def test_electrons_of_a_beam():
    assert electrons(50, 1.4) == pytest.approx(437, abs=0.5)  # Williams et al.


@pytest.mark.parametrize("name", SCAN)
def test_scan_errors_are_as_strong_as_they_say(name):
    strength = torch.full((64,), 0.5)
    slow, fast = displacements(64, 96, 96, _random(), {name: strength})
    assert slow.mean(dim=(2, 3)).abs().max() < 1e-3
    assert fast.mean(dim=(2, 3)).abs().max() < 1e-5
    if name == "drift":
        travelled = (slow[:, :, -1, -1] - slow[:, :, 0, 0]).norm(dim=1)
        assert travelled.tolist() == pytest.approx([0.5] * 64, rel=1e-3)
    else:
        assert slow.abs().max() == 0
        rms = fast.square().sum(dim=1).mean().sqrt().item()
        # Strengths: height of a jump or flyback, rms along each axis of a vibration.
        expected = {"jump": 0.21, "flyback": 0.1, "fast_jitter": 0.68}.get(name, 0.48)
        assert rms == pytest.approx(expected, rel=0.15)
    assert not torch.allclose(scanned(_one(name, 2.0)), scanned(_one(name, 0.0)), atol=0.05)


def test_sampling_along_displacements_is_exact_where_it_can_be_known():
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(80.0), indexing="ij")

    def wave(y, x):
        return torch.cos(2 * math.pi * (y / 7.3 + x / 9.1))[None]

    moved = torch.stack([torch.sin(columns / 9), 2 * torch.cos(rows / 11)])[None]
    moved = moved[:, :, EDGE:-EDGE, EDGE:-EDGE]
    seen = sample(coefficients(wave(rows, columns)), moved)
    inner = (slice(EDGE, -EDGE),) * 2
    expected = wave(rows[inner] + moved[0, 0], columns[inner] + moved[0, 1])
    assert (seen - expected).abs().max() < 5e-3


def test_a_frame_and_its_truth_differ_by_noise_and_fast_errors_only():
    wide = render_crystals(4, 96 + 2 * EDGE, (12.0, 22.0), _random())
    peak = torch.full((4,), 1e6)
    drifting = Conditions(scan={"drift": (4.0, 4.0, 1.0)}, detector={})
    noisy, truth = acquire(wide, peak, drifting, _random())
    assert noisy.shape == truth.shape == (4, 96, 96)
    assert (noisy - truth).abs().max() < 0.01 * 1e6
    everything = Conditions(SCAN, DETECTOR)
    noisy, truth = acquire(wide, peak, everything, _random())
    assert noisy.isfinite().all()
    assert (noisy - truth).abs().max() > 0.02 * 1e6


def test_frames_of_a_series_move_as_their_path_says():
    wide = render_crystals(2, 96 + 2 * EDGE, (22.0, 60.0), _random())
    peak = torch.full((2,), 1e7)
    frames, truth, path = acquire_series(wide, peak, Conditions({}, {}), 4, _random(), step=1.5)
    assert frames.shape == (2, 4, 96, 96)
    assert path[:, 0].abs().max() == 0
    assert (frames[:, 0] - truth).abs().max() < 0.01 * 1e7
    for picture in range(2):
        back = path[picture, 3].view(1, 2, 1, 1).expand(1, 2, 64, 64)
        undone = sample(coefficients(frames[picture, 3][None]), back)
        assert (undone[0] - truth[picture, EDGE:-EDGE, EDGE:-EDGE]).abs().max() < 0.02 * 1e7


def test_strengths_are_drawn_in_their_share():
    drawn = draw_mix({"a": (0.5, 1.0, 0.25)}, 4000, _random())["a"]
    assert (drawn > 0).float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert drawn[drawn > 0].min() >= 0.5


def test_the_gallery_knows_its_subject():
    assert GALLERY_CRYSTAL in {zone.name for zone in ZONES}
