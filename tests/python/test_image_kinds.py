"""Images that are no arrays: paths, Micrographs, and frames that come one by one."""

from pathlib import Path

import numpy as np
import pytest
from drifting_series import drifting, steps

import stemzoo
from stemzoo.common.errors import FileError
from stemzoo.io import Micrograph, write

MODEL = "denoise-live"
PIXEL = (0.02, 0.03)


@pytest.fixture(scope="module")
def series():
    return drifting(steps(5)).astype(np.float32)


@pytest.fixture
def micrograph(series):
    metadata = {"title": "Au", "provenance": {"task": "align"}}
    return Micrograph(series[0], PIXEL, "nm", metadata)


def require_calibrated(found, data):
    assert isinstance(found, Micrograph)
    assert (found.pixel_size, found.unit, found.metadata["title"]) == (PIXEL, "nm", "Au")
    assert "provenance" not in found.metadata  # which says how what was given came to be
    np.testing.assert_array_equal(found.data, data)
    np.testing.assert_array_equal(np.asarray(found), data)


@pytest.mark.parametrize("function", [stemzoo.denoise, stemzoo.restore])
def test_a_file_or_a_micrograph_gives_a_micrograph(micrograph, tmp_path, function):
    path = tmp_path / "frame.tif"
    write(path, micrograph)
    expected = function(micrograph.data)
    for given in (micrograph, path, str(path)):
        require_calibrated(function(given), expected)
    require_calibrated(function(image=path), expected)


def test_a_record_holds_micrographs(micrograph):
    found = stemzoo.restore(micrograph, details=True)
    expected = stemzoo.restore(micrograph.data, details=True)
    require_calibrated(found.image, expected.image)
    np.testing.assert_array_equal(found.rows, expected.rows)
    assert repr(found) == repr(expected)
    assert found._repr_html_() == expected._repr_html_()
    assert (
        stemzoo.inspect(micrograph, found).dose == stemzoo.inspect(micrograph.data, expected).dose
    )


def test_kinds_may_be_mixed(series, micrograph, tmp_path):
    np.save(tmp_path / "moving.npy", series[1])
    expected = stemzoo.drift(series[0], series[1])
    assert stemzoo.drift(micrograph, tmp_path / "moving.npy") == expected
    assert stemzoo.drift(series[0], str(tmp_path / "moving.npy")) == expected


@pytest.fixture(scope="module")
def aligned(series):
    return stemzoo.align(series, None)


def frames_of(series, kind, folder):
    if kind == "generator":
        return (frame for frame in series)
    if kind == "tuple":
        return tuple(series)
    if kind == "micrographs":
        return [Micrograph(frame, PIXEL, "nm", {"title": "Au"}) for frame in series]
    for number, frame in enumerate(series):
        write(folder / f"{number}.tif", Micrograph(frame, PIXEL, "nm", {"title": "Au"}))
    paths = sorted(folder.glob("*.tif"))
    return paths if kind == "paths" else (str(path) for path in paths)


@pytest.mark.parametrize("kind", ["generator", "tuple", "micrographs", "paths"])
def test_frames_come_one_by_one(series, aligned, tmp_path, kind):
    found = stemzoo.align(frames_of(series, kind, tmp_path), None)
    np.testing.assert_array_equal(found.shifts, aligned.shifts)
    if kind in ("micrographs", "paths"):
        require_calibrated(found.average, aligned.average)
    else:
        np.testing.assert_array_equal(found.average, aligned.average)
    np.testing.assert_array_equal(found.images[3], aligned.images[3])


def test_masked_frames_of_a_generator_stay_masked(series):
    masked = np.ma.MaskedArray(series, series > 45)
    expected = stemzoo.align(masked, None)
    found = stemzoo.align((frame for frame in masked), None)
    np.testing.assert_array_equal(found.coverage, expected.coverage)


def test_frames_of_two_shapes_and_none_are_refused(series):
    with pytest.raises(ValueError, match=r"stack\[1\] has shape \(9, 8\) and stack\[0\] "):
        stemzoo.align([series[0], series[1][:9, :8]], None)
    with pytest.raises(ValueError, match="stack holds no frames"):
        stemzoo.align(iter([]), None)


def test_a_file_that_is_not_there():
    with pytest.raises(FileError, match=r"nowhere\.tif"):
        stemzoo.denoise("nowhere.tif")
    with pytest.raises(FileError, match=r"nowhere\.tif"):
        stemzoo.denoise(Path("nowhere.tif"))


def test_wrong_arguments_are_told_in_the_words_of_python():
    with pytest.raises(TypeError, match=r"denoise\(\) missing 1 required positional argument"):
        stemzoo.denoise()
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        stemzoo.denoise(np.ones((5, 5)), colour=1)
