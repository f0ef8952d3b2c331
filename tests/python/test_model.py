"""Running a model: what comes out, and what is said when it cannot run."""

import numpy as np
import onnxruntime
import pytest
from small_models import same

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite, psnr
from stemzoo.inference.model import Model
from stemzoo.zoo.catalogue import BUNDLED, find


@pytest.fixture(scope="module")
def model():
    return stemzoo.load("denoise-live")


@pytest.fixture(scope="module")
def counts():
    clean = perovskite((160, 144), seed=1).image((160, 144))
    return expose(clean, 20, np.random.default_rng(1))


@pytest.mark.parametrize("shape", [(160, 144), (97, 101), (1, 64), (64, 1), (3, 2), (17, 200)])
def test_any_shape_comes_back_in_its_shape(model, random, shape):
    result = model(random.poisson(9, shape))
    assert result.shape == shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()


@pytest.mark.parametrize(("scale", "offset"), [(1000, 0), (1e-3, 0), (1, 1000), (7, -3)])
def test_scale_and_offset_change_nothing_else(model, counts, scale, offset):
    plain = model(counts.astype("f8"))
    scaled = model(counts * scale + float(offset))
    peak = np.abs(plain).max() * abs(scale)
    np.testing.assert_allclose(scaled, scale * plain + offset, atol=1e-4 * (peak + abs(offset)))


@pytest.mark.parametrize("value", [0, 7, -3.5, 1e6])
def test_a_constant_image_comes_back_exactly(model, value):
    image = np.full((40, 50), value)
    np.testing.assert_array_equal(model(image), image.astype("f4"))


def test_tiles_agree_with_the_whole(model, random, monkeypatch):
    image = random.poisson(9, (900, 700)).astype("f4")
    whole = model(image)
    monkeypatch.setattr("stemzoo.inference.model.MAX_TILE", 512)
    np.testing.assert_allclose(model(image), whole, atol=1e-4 * np.abs(whole).max())


def promising(tmp_path, **promises):
    """A network that gives back what it is given, and the shapes of all that it is given."""
    path = tmp_path / "same.onnx"
    path.write_bytes(same("denoise", **promises))
    model, seen = Model(path), []
    model.infer = lambda batch: seen.append(batch.copy()) or batch
    return model, seen


@pytest.mark.parametrize(
    ("promises", "shape", "tiles"),
    [
        ({}, (1024, 900), [(1, 1, 1024, 900)]),
        ({}, (1025, 40), [(1, 1, 1024, 40)] * 2),
        ({"whole": 2048}, (2048, 1100), [(1, 1, 2048, 1100)]),
        ({"whole": 2048}, (40, 2049), [(1, 1, 40, 2048)] * 2),
        ({"whole": 512}, (40, 700), [(1, 1, 40, 512)] * 2),
        ({"multiple": 64, "halo": 256, "whole": 2048}, (1500, 70), [(1, 1, 1536, 128)]),
        ({"multiple": 64, "halo": 256}, (1500, 70), [(1, 1, 1024, 128)] * 2),
    ],
)
def test_frames_go_whole_up_to_what_the_contract_says(tmp_path, random, promises, shape, tiles):
    model, seen = promising(tmp_path, **promises)
    image = random.poisson(9, shape).astype("f4")
    np.testing.assert_allclose(model(image), image, rtol=1e-5, atol=1e-5)
    assert [(1, 1, *each.shape[2:]) for each in seen for _ in each] == tiles


def test_images_are_reflected_to_a_multiple(tmp_path, random):
    model, (image, seen) = promising(tmp_path, multiple=64)[0], (random.normal(size=(70, 50)), [])
    model.infer = lambda batch: seen.append(batch.copy()) or batch
    model(image)
    expected = np.pad((image - image.mean()) / image.std(), ((0, 58), (0, 14)), "reflect")
    np.testing.assert_allclose(seen[0][0, 0], expected, atol=1e-5)


@pytest.mark.parametrize(
    "promises",
    [
        {"whole": 5000},
        {"whole": 256, "halo": 128, "multiple": 16},
    ],
)
def test_a_whole_that_is_too_large_or_leaves_nothing_is_refused(tmp_path, promises):
    with pytest.raises(stemzoo.ModelError, match=r"whole is .* to 4096 px"):
        promising(tmp_path, **promises)


def test_more_outputs_than_the_image_are_left_alone(tmp_path, monkeypatch, random):
    (tmp_path / "same.onnx").write_bytes(same("denoise"))
    model = Model(tmp_path / "same.onnx")
    monkeypatch.setattr(model, "outputs", lambda batch: [batch, np.ones((1, 7), np.float32)])
    image = random.poisson(9, (20, 17)).astype("f4")
    np.testing.assert_allclose(model(image), image, rtol=1e-5)
    monkeypatch.setattr(model, "outputs", lambda batch: [batch[:, :, 1:]])
    with pytest.raises(stemzoo.ModelError, match=r"gave an output of shape \(1, 1, 19, 17\)"):
        model(image)


def test_masked_pixels_are_ignored_and_stay_masked(model, counts):
    broken = np.ma.MaskedArray(counts.copy(), False)
    broken[10, 20] = np.ma.masked
    broken.data[10, 20] = 1e9
    result = model(broken)
    assert result.mask.sum() == 1
    # The hidden value must not matter.
    broken.data[10, 20] = np.nan
    np.testing.assert_array_equal(model(broken).data, result.data)
    assert abs(float(result.max()) - model(counts).max()) < 0.2 * model(counts).max()
    with pytest.raises(ValueError, match="every pixel of image is masked"):
        model(np.ma.MaskedArray(counts, True))


def test_denoising_is_worth_it(model, counts):
    clean = perovskite((160, 144), seed=1).image((160, 144))
    truth = clean * 20 / clean.max()
    assert psnr(model(counts), truth) > psnr(counts, truth) + 12


def test_results_are_the_same_from_run_to_run(model, counts):
    np.testing.assert_array_equal(model(counts), model(counts))


def test_progress_counts_tiles_to_the_end(model, random, monkeypatch):
    monkeypatch.setattr("stemzoo.inference.model.MAX_TILE", 512)
    seen = []
    model(random.poisson(9, (600, 600)), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_asking_for_a_missing_provider_warns_with_the_one_used():
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.warns(UserWarning, match=r"asked for CUDAExecutionProvider.*CPUExecutionProvider"):
        model = stemzoo.load("denoise-live", providers=["CUDAExecutionProvider"])
    assert model.provider == "CPUExecutionProvider"


def test_models_are_listed_with_where_they_are():
    listed = {info.name: info for info in stemzoo.models()}
    assert listed["denoise-live"].where.is_relative_to(BUNDLED)
    assert listed["denoise-live"].task == "denoise"
    assert listed["denoise-live"].size == listed["denoise-live"].where.stat().st_size


def test_a_version_may_be_pinned_either_way():
    version = find("denoise-live").version
    assert find(f"denoise-live@{version}") == find("denoise-live", version)
    with pytest.raises(stemzoo.ModelError, match=f"no version '9.9.9'; there are: .*{version}"):
        stemzoo.load("denoise-live@9.9.9")


def test_a_typo_gets_a_suggestion():
    with pytest.raises(stemzoo.ModelError, match="did you mean 'denoise-live'"):
        stemzoo.load("denoise-life")


def test_a_site_folder_is_searched(monkeypatch, tmp_path):
    (tmp_path / "denoise-mine").mkdir()
    live = find("denoise-live").where
    renamed = live.read_bytes().replace(b"denoise-live", b"denoise-mine")
    name = live.name.replace("denoise-live", "denoise-mine")
    (tmp_path / "denoise-mine" / name).write_bytes(renamed)
    monkeypatch.setenv("STEMZOO_SITE", str(tmp_path))
    assert find("denoise-mine").where.is_relative_to(tmp_path)
    assert stemzoo.denoise(np.eye(32), model="denoise-mine").shape == (32, 32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "metadata lacks stemzoo.name"),
        (b"not an onnx file", "not an ONNX file"),
        (b"\x72\xff\xff\xff\xff\x0f", "cut short"),
    ],
)
def test_a_file_that_is_no_model_is_named(tmp_path, content, message):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(stemzoo.ModelError, match=message):
        stemzoo.load(path, trust=True)


def test_a_truncated_model_is_named(tmp_path):
    path = tmp_path / "half.onnx"
    content = find("denoise-live").where.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(stemzoo.ModelError, match=r"half\.onnx"):
        stemzoo.load(path, trust=True)


def test_a_missing_model_file_is_named(tmp_path):
    with pytest.raises(stemzoo.ModelError, match="cannot read the model"):
        Model(tmp_path / "none.onnx")


def test_threads_must_make_sense():
    with pytest.raises(ValueError, match="threads is 0; expected at least 1"):
        stemzoo.load("denoise-live", threads=0)
