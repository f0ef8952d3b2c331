"""Signals of HyperSpy in, signals out."""

import numpy as np
import pytest

pytest.importorskip("hyperspy", reason="needs stemzoo[hyperspy]: make test-integrations")

import dask.array as da
import hyperspy.api as hs

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from tests.integrations.long_series import series

pytestmark = pytest.mark.filterwarnings("default")  # HyperSpy's own

MODEL = "denoise-live"
SHAPE = (96, 80)


def described(data, lazy=False):
    """A signal whose axes are all different, and known."""
    signal = hs.signals.Signal2D(data)
    for axis, scale in zip(signal.axes_manager.signal_axes, (0.02, 0.03), strict=True):
        axis.scale, axis.offset, axis.units = scale, 5 * scale, "nm"
    for axis in signal.axes_manager.navigation_axes:
        axis.scale, axis.units, axis.name = 0.5, "s", "time"
    signal.metadata.General.title = "Au"
    signal.metadata.set_item("Acquisition_instrument.TEM.beam_energy", 200.0)
    signal.metadata.set_item("Signal.Noise_properties.variance", 3.0)
    return signal.as_lazy() if lazy else signal


@pytest.fixture
def image():
    counts = expose(perovskite(SHAPE, 1).image(SHAPE), 20, np.random.default_rng(1))
    return counts.astype(np.float32)


@pytest.fixture(params=[False, True], ids=["eager", "lazy"])
def lazy(request):
    return request.param


def require_like(found, given, data):
    """The same kind of signal, with the axes and the metadata of the one that was given."""
    assert type(found) is type(given)
    axes = [
        [axis.get_axis_dictionary() for axis in signal.axes_manager._axes]
        for signal in (found, given)
    ]
    assert axes[0] == axes[1]
    assert found.metadata.General.title == "Au"
    assert found.metadata.Acquisition_instrument.TEM.beam_energy == 200
    assert not found.metadata.has_item("Signal.Noise_properties.variance")
    assert isinstance(found.data, da.Array if found._lazy else np.ndarray)
    assert found.data.dtype == np.float32
    np.testing.assert_allclose(np.asarray(found.data), data, rtol=1e-6)


@pytest.mark.parametrize("function", [stemzoo.denoise, stemzoo.restore])
def test_images_come_back_as_signals(image, lazy, function):
    given = described(image, lazy)
    require_like(function(given), given, function(image))


def test_every_image_of_all_navigation_axes(image, lazy):
    data = np.stack([np.roll(image, shift, 0) for shift in range(6)]).reshape(2, 3, *SHAPE)
    given = described(data, lazy)
    clean = stemzoo.denoise(data.reshape(6, *SHAPE), MODEL).reshape(data.shape)
    require_like(stemzoo.denoise(given, MODEL), given, clean)


def test_map_gives_the_same(image, lazy):
    given = described(np.stack([image, image[::-1]]), lazy)
    found = given.map(stemzoo.denoise, model=MODEL, inplace=False)
    assert found._lazy == lazy
    np.testing.assert_array_equal(np.asarray(found.data), stemzoo.denoise(given.data, MODEL))
    assert found.axes_manager.signal_axes[0].scale == 0.02


def test_details_hold_a_signal(image, lazy):
    given = described(image, lazy)
    found = stemzoo.restore(given, details=True)
    expected = stemzoo.restore(image, details=True)
    require_like(found.image, given, expected.image)
    np.testing.assert_array_equal(found.rows, expected.rows)
    assert stemzoo.inspect(given, found).columns is not None


def test_a_series_and_its_average(lazy):
    stack = series(8, side=96).compute()
    given, expected = described(stack, lazy), stemzoo.align(stack, None)
    found = stemzoo.align(given, None)
    np.testing.assert_allclose(found.shifts, expected.shifts, atol=1e-5)
    assert repr(found) == repr(expected)
    assert "<img" in found._repr_html_()
    require_like(found.average, given.inav[0], expected.average)
    assert found.images._lazy
    assert found.images.axes_manager.navigation_axes[0].units == "s"
    np.testing.assert_allclose(found.images.data[5].compute(), expected.images[5], rtol=1e-4)
    assert found.coverage.axes_manager.signal_axes[1].scale == 0.03


def test_scans_are_merged_into_a_signal(lazy):
    counts = expose(perovskite((128, 128), 1).image((128, 128)), 50, np.random.default_rng(1))
    given = [described(np.rot90(counts, turns).copy(), lazy) for turns in (0, 1)]
    found = stemzoo.merge_scans(given)
    expected = stemzoo.merge_scans([np.asarray(signal.data) for signal in given])
    require_like(found.image, given[0], expected.image)
    assert repr(found) == repr(expected)


def test_numbers_of_signals_are_those_of_their_pixels(image, lazy):
    still, moving = described(image, lazy), described(np.roll(image, 2, 1), lazy)
    assert stemzoo.drift(still, moving) == stemzoo.drift(image, np.roll(image, 2, 1))
    surface = stemzoo.ncc(still, moving, max_shift=(8, 6))
    np.testing.assert_array_equal(surface.data, stemzoo.ncc(image, np.roll(image, 2, 1), (8, 6)))
    x, y = surface.axes_manager.signal_axes
    assert (x.units, x.size, y.size) == ("nm", 13, 17)
    assert x.index2value(6) == pytest.approx(0)
    assert y.index2value(8) == pytest.approx(0)
    assert (x.scale, y.scale) == (0.02, 0.03)


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"signal dimension 1; expected images, .*transpose"):
        stemzoo.denoise(hs.signals.Signal1D(np.ones((5, 6, 7))))


def test_the_signal_type_is_found_and_survives_a_file(image, lazy, tmp_path):
    given = described(np.stack([image, image]))
    given.set_signal_type("STEM")
    given.save(tmp_path / "series.hspy")
    read = hs.load(tmp_path / "series.hspy", lazy=lazy)
    assert type(read).__name__ == ("LazySTEMImage" if lazy else "STEMImage")
    clean = read.denoise(MODEL)
    assert type(clean) is type(read)
    np.testing.assert_allclose(np.asarray(clean.data)[0], stemzoo.denoise(image, MODEL), rtol=1e-6)
    assert clean.axes_manager.signal_axes[0].units == "nm"
