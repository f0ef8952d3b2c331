"""Pictures for people."""

import numpy as np
import pytest
from PIL import Image

from stemzoo.plotting.pictures import CAPTION, GAP, grey, save_panels


def test_grey_spans_its_limits():
    data = np.linspace(-5, 5, 600).reshape(30, 20)
    np.testing.assert_array_equal(grey(data, (-5, 5)), np.rint((data + 5) * 25.5))


def test_hot_pixels_and_nan_do_not_spoil_a_picture():
    data = np.tile(np.linspace(0, 1, 256), (256, 1))
    data[0, 0], data[1, 1], data[2, 2] = 1e30, np.nan, np.inf
    seen = grey(data)
    assert (seen[0, 0], seen[1, 1], seen[2, 2]) == (255, 0, 255)
    assert abs(int(seen[100, 128]) - 128) <= 1


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_no_contrast_is_black(value):
    assert not grey(np.full((4, 4), value)).any()


def test_panels_stand_in_rows(tmp_path):
    black, white = (np.full((40, 50), level, np.uint8) for level in (0, 255))
    captioned = [("a", black), ("b", white), ("c", black)]
    save_panels(tmp_path / "sheet.png", captioned, columns=2)
    with Image.open(tmp_path / "sheet.png") as picture:
        sheet = np.asarray(picture)
    assert sheet.shape == (2 * (40 + CAPTION + GAP) + GAP, 2 * (50 + GAP) + GAP)
    assert not sheet[GAP : GAP + 40, GAP : GAP + 50].any()
    assert (sheet[GAP : GAP + 40, 2 * GAP + 50 : 2 * GAP + 100] == 255).all()
