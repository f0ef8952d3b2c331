"""Fine-tuning of a zoo model on images from files: gain, the new model, and refusals."""

import functools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite, psnr
from stemzoo.inference.model import Model
from stemzoo.zoo.catalogue import find
from training.export import check_parity, export, to_onnx
from training.finetune import (
    NEIGHBOUR_DISTANCE,
    fine_tune,
    fine_tune_for,
    hide,
    main,
    read_microscope,
)
from training.loop.compact_checkpoint import average_weights
from training.packaging.half_weights import rounded
from training.packaging.weights import fill
from training.recipe import load_recipe
from training.recipes.shared.own_images import read_own
from training.simulate.microscope import Microscope
from training.train import train

pytestmark = pytest.mark.slow

ZOO = Path(__file__).parents[2] / "zoo"
PARENT = "denoise-live@0.1.0"
SHAPE = (96, 96)
QUICK = {"crop": 64, "batch_size": 4, "learning_rate": 1e-3}


@pytest.fixture(autouse=True)
def zoo(monkeypatch):
    monkeypatch.setenv("STEMZOO_SITE", str(ZOO))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "noisy").mkdir()
    (tmp_path / "clean").mkdir()
    return tmp_path


def striped(seed, random):
    """A lattice at 20 electrons with row offsets of a quarter of that, which the parent has never
    seen. The seed determines the specimen, not the noise."""
    truth = perovskite(SHAPE, seed).image(SHAPE)
    counts = expose(truth, 20, random) + 6 * random.standard_normal((SHAPE[0], 1))
    return counts.astype(np.float32), (truth * (20 / truth.max())).astype(np.float32)


def ruled(seed, random):
    """Lines 3 px apart in homogeneous noise, which the parent removes as noise."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    truth = 1 + 0.5 * np.sign(np.sin(2 * np.pi * (0.8 * x + 0.6 * y) / 3 + seed))
    return truth + 0.6 * random.standard_normal(SHAPE), truth


def gain(recipe, folder, steps, make):
    """Gain of PSNR by tuning, on an unseen image, in dB."""
    train(recipe, 0, folder / "run", steps=steps, picture_share=0.5)
    tuned = Model(export(recipe, folder / "run", folder / "zoo", smoke=True))
    noisy, truth = make(77, np.random.default_rng(90_000))
    return psnr(tuned(noisy), truth) - psnr(Model(find(PARENT).where)(noisy), truth)


def test_pairs_of_files_teach_it_what_it_never_saw(folder):
    random = np.random.default_rng(1)
    for seed in range(6):
        noisy, clean = striped(seed, random)
        np.save(folder / "noisy" / f"{seed}.npy", noisy)
        np.save(folder / "clean" / f"{seed}.npy", clean)
    recipe = fine_tune(PARENT, folder / "noisy", folder / "clean", **QUICK)
    assert gain(recipe, folder, 40, striped) > 4
    assert len(list((folder / "run" / "samples").iterdir())) == 2


def test_stacks_teach_it_without_clean_images(folder):
    random = np.random.default_rng(1)
    for seed in range(2):
        frames = [striped(seed, random)[0] for _ in range(12)]
        np.save(folder / "noisy" / f"{seed}.npy", np.stack(frames))
    recipe = fine_tune(PARENT, folder / "noisy", None, **QUICK)
    assert gain(recipe, folder, 40, striped) > 4


def test_single_noisy_images_teach_it_by_their_hidden_pixels(folder):
    random = np.random.default_rng(1)
    for seed in range(6):
        np.save(folder / "noisy" / f"{seed}.npy", ruled(seed, random)[0])
    recipe = fine_tune(PARENT, folder / "noisy", None, **QUICK)
    assert gain(recipe, folder, 50, ruled) > 2


def test_one_command_makes_a_new_model_that_names_its_parent(folder, monkeypatch, capsys):
    monkeypatch.setattr("training.finetune.export", functools.partial(export, smoke=True))
    for seed in range(2):
        noisy, clean = striped(seed, np.random.default_rng(seed))
        stemzoo.io.write(folder / "noisy" / f"{seed}.tif", stemzoo.io.Micrograph(noisy))
        stemzoo.io.write(folder / "clean" / f"{seed}.tif", stemzoo.io.Micrograph(clean))
    command = [PARENT, "--noisy", str(folder / "noisy"), "--clean", str(folder / "clean")]
    command += ["--name", "denoise-ours", "--version", "1.2.0", "--output", str(folder / "zoo")]
    command += ["--steps", "2", "--crop", "64", "--folder", str(folder / "run")]
    main(command)
    monkeypatch.setenv("STEMZOO_SITE", str(folder / "zoo"))
    model = stemzoo.load("denoise-ours@1.2.0")
    assert str(model.path) in capsys.readouterr().out
    origin = json.loads(model.contract.training)
    assert origin["parent"] == PARENT
    assert origin["tuned_on"] == "2 images of a user's own, with their clean partners"
    assert origin["steps"] == 2
    card = (model.path.parent / "README.md").read_text()
    assert f"Fine-tuned from {PARENT} on 2 images" in card
    assert f"training.finetune {PARENT} --noisy FOLDER --clean FOLDER --name denoise-ours" in card
    assert (model.path.parent / "bioimageio.yaml").exists()
    assert json.loads((model.path.parent / "metrics.json").read_text())["name"] == "denoise-ours"
    grandchild = fine_tune("denoise-ours", folder / "noisy", None, crop=64)
    assert grandchild.parent == "denoise-ours@1.2.0"
    assert grandchild.origin()["recipe"] == "denoise-live"
    grandchild.network()
    monkeypatch.setenv("STEMZOO_SITE", str(ZOO))
    with pytest.raises(SystemExit, match="exists, and a version never changes; choose a new one"):
        main(command)


def test_before_the_first_step_it_is_the_parent(folder):
    np.save(folder / "noisy" / "a.npy", striped(1, np.random.default_rng(1))[0])
    recipe = fine_tune(PARENT, folder / "noisy", None, crop=64)
    parent = Model(find(PARENT).where)
    given = np.random.default_rng(2).standard_normal((1, 1, 64, 64)).astype(np.float32)
    with torch.no_grad():
        output = recipe.network()(torch.from_numpy(given)).numpy()
    np.testing.assert_allclose(output, parent.infer(given), atol=1e-4)


def test_a_frame_s_target_does_not_hold_its_own_noise(folder):
    frames = np.random.default_rng(1).normal(5, 2, (4, 16, 16))
    np.save(folder / "noisy" / "a.npy", frames)
    own = read_own(folder / "noisy", None, 16)
    assert len(own.pairs) == 4
    for index, pair in enumerate(own.pairs):
        mean, std = frames[index].mean(), frames[index].std()
        others = np.delete(frames, index, axis=0).mean(axis=0)
        np.testing.assert_allclose(pair.target * std + mean, others, rtol=1e-5)
        assert pair.given.mean() == pytest.approx(0, abs=1e-6)
        assert pair.given.std() == pytest.approx(1, abs=1e-6)


def test_hidden_pixels_show_a_neighbour_and_only_they_are_judged(folder):
    image = torch.arange(64.0 * 64).reshape(64, 64)  # unique values, which give the position
    shown, target = hide(image, torch.Generator().manual_seed(1))
    hidden = ~target.isnan()
    assert 0.01 < hidden.float().mean() < 0.03
    assert torch.equal(shown[~hidden], image[~hidden])
    assert torch.equal(target[hidden], image[hidden])
    from_row, from_column = (shown[hidden] // 64).long(), (shown[hidden] % 64).long()
    rows, columns = hidden.nonzero(as_tuple=True)
    apart = torch.maximum((rows - from_row).abs(), (columns - from_column).abs())
    assert apart.min() == 1
    assert apart.max() == NEIGHBOUR_DISTANCE

    np.save(folder / "noisy" / "a.npy", image.numpy())
    recipe = fine_tune(PARENT, folder / "noisy", None, crop=64)
    output = torch.randn(1, 1, 64, 64, requires_grad=True)
    recipe.loss(output, target[None, None]).backward()
    assert torch.equal(output.grad[0, 0] != 0, hidden)


def test_a_run_goes_on_only_with_the_same_images(folder):
    save = functools.partial(np.save, folder / "noisy" / "a.npy")
    save(np.random.default_rng(1).normal(size=SHAPE))
    train(fine_tune(PARENT, folder / "noisy", None, crop=64), 0, folder / "run")
    save(np.random.default_rng(2).normal(size=SHAPE))
    with pytest.raises(SystemExit, match=r"other settings \(images differ\)"):
        train(fine_tune(PARENT, folder / "noisy", None, crop=64), 0, folder / "run")


def test_every_file_that_cannot_be_used_is_listed(folder):
    noisy, clean = folder / "noisy", folder / "clean"
    good = np.random.default_rng(1).normal(size=SHAPE)
    for name in ("good", "alone", "small", "nan", "flat", "sizes", "units"):
        np.save(noisy / f"{name}.npy", good)
        np.save(clean / f"{name}.npy", good)
    (clean / "alone.npy").rename(clean / "widow.npy")
    np.save(noisy / "small.npy", good[:20])
    np.save(noisy / "nan.npy", np.where(good > 3, np.nan, good))
    np.save(noisy / "flat.npy", np.ones(SHAPE))
    np.save(clean / "sizes.npy", good[:90])
    np.save(clean / "units.npy", 100 + good)
    (noisy / "torn.tif").write_bytes(b"II*\0")
    (noisy / "notes.txt").write_text("magnification 5 M")
    with pytest.raises(SystemExit, match="9 of the files cannot be used, and nothing was") as told:
        read_own(noisy, clean, 64)
    for line in (
        r"noisy/alone.npy has no partner .*clean/alone.npy",
        r"clean/widow.npy has no partner .*noisy/widow.npy",
        r"small.npy is 20 x 96 px, smaller than the crops of 64 x 64 px",
        r"nan.npy holds NaN or infinity",
        r"flat.npy holds an image of one value only",
        r"sizes.npy is 90 x 96 px, and .*sizes.npy is 96 x 96 px; partners must agree",
        r"units.npy has a mean of 99.99, and .*give both in the same units",
        r"torn.tif is incomplete or damaged",
        r"notes.txt has a suffix stemzoo does not know",
    ):
        assert told.match(line)
    assert "good.npy" not in str(told.value)


def test_folders_that_are_missing_or_empty_are_refused(folder):
    with pytest.raises(SystemExit, match=r"there is no folder .*nowhere; name one that holds"):
        read_own(folder / "nowhere", None, 64)
    with pytest.raises(SystemExit, match="noisy holds no files; put images or stacks into it"):
        read_own(folder / "noisy", None, 64)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (["--name", "../evil"], "cannot name a tuned model; expected small letters"),
        (["--name", "denoise-live"], "not the name of a recipe"),
        (["--version", "new"], "version is 'new'; expected three numbers, such as 0.1.0"),
        (["--crop", "60"], "inputs of 60 x 60 px, and its network takes multiples of 8 px"),
    ],
)
def test_a_command_that_cannot_end_well_does_not_begin(folder, more, match):
    np.save(folder / "noisy" / "a.npy", np.random.default_rng(1).normal(size=(128, 128)))
    command = [PARENT, "--noisy", str(folder / "noisy"), "--folder", str(folder / "run")]
    with pytest.raises(SystemExit, match=match):
        main([*command, "--output", str(folder / "zoo"), "--steps", "1", *more])
    assert not (folder / "zoo").exists()


def test_an_unknown_parent_names_the_known_ones(folder):
    with pytest.raises(SystemExit, match="no model is called 'denoise-lief'; did you mean"):
        main(["denoise-lief", "--noisy", str(folder)])


def test_a_drift_model_is_refused(folder):
    with pytest.raises(SystemExit, match="is a model for drift, which has no clean images"):
        fine_tune("vasudevan-drift", folder / "noisy", None)


def test_weights_come_out_as_they_went_in(folder):
    recipe = load_recipe("denoise-live", version="0.1.0", scenes=16, crop=64, batch_size=2)
    train(recipe, 0, folder / "run", smoke=True)  # untrained: equal weights are stored only once
    path = export(recipe, folder / "run", folder / "zoo", smoke=True)
    state = torch.load(folder / "run" / "checkpoint.pt", weights_only=True)
    expected = rounded(state["average"])
    network = recipe.network()
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(7)
    fill(network, path)
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, expected[name]), name


@pytest.mark.parametrize("name", ["denoise-live", "denoise-atomic", "restore-scan"])
def test_the_exporter_keeps_every_weight_and_no_constant_twice(name, folder):
    # Version 1.0.0 of these files lacks weights that were folded; the checkpoint has them.
    recipe = load_recipe(name, version="1.0.0")
    published, committed = find(f"{name}@1.0.0"), average_weights(recipe)
    network = recipe.network().eval()
    fill(network, published.path, committed)
    check_parity(network, published.read(), published.contract)
    again = folder / "again.onnx"
    again.write_bytes(to_onnx(network, published.contract))
    check_parity(network, again.read_bytes(), published.contract)
    assert again.stat().st_size < 0.85 * published.size
    read = recipe.network()
    fill(read, again)
    for key, weight in read.state_dict().items():
        assert torch.equal(weight, committed[key]), key


@pytest.mark.parametrize(
    ("name", "version"),
    [("denoise-atomic", version) for version in ("1.0.0", "1.1.1", "1.2.0", "1.3.0", "1.4.0")]
    + [("denoise-live", version) for version in ("1.0.1", "1.1.0")],
)
def test_every_version_of_a_model_can_be_tuned(name, version):
    model = find(f"{name}@{version}")
    recipe = load_recipe(name, version=version)
    network = recipe.network().eval()
    fill(network, model.path, average_weights(recipe))
    check_parity(network, model.read(), model.contract)


def test_weights_that_do_not_fit_are_refused(folder):
    file = find(PARENT).where
    wider = load_recipe("denoise-live", version="0.1.0", widths=(16, 32, 64)).network()
    with pytest.raises(SystemExit, match=r"down.1.weight is \(96, 32, 2, 2\), expected \(64, 32"):
        fill(wider, file)
    model = onnx.load(file)
    stem = next(weight for weight in model.graph.initializer if weight.name == "stem.bias")
    stem.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(stem), "other.bias"))
    onnx.save(model, folder / "renamed.onnx")
    with pytest.raises(SystemExit, match=r"do not fit the network .*: it lacks stem.bias; check"):
        fill(load_recipe("denoise-live", version="0.1.0").network(), folder / "renamed.onnx")


@pytest.mark.parametrize("source", ["--noisy", "--microscope"])
def test_the_commands_in_the_docs_are_right(folder, monkeypatch, source):
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("python -m training.finetune")]
    (line,) = [line for line in lines if source in line]
    made = []
    monkeypatch.chdir(folder)
    monkeypatch.setattr(
        "training.finetune.train", lambda recipe, minutes, *_, **__: made.append((recipe, minutes))
    )
    monkeypatch.setattr("training.finetune.export", lambda recipe, run, zoo: made.append(zoo))
    monkeypatch.setattr("training.recipes.shared.own_images.FRAMES", 2)
    (folder / "noisy").rename(folder / "frames")
    frame = np.random.default_rng(1).poisson(20, (160, 160)).astype("f4")
    np.save(folder / "frames" / "a.npy", frame)
    Path("microscope.toml").write_text(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    main(line.split()[3:])
    (recipe, minutes), zoo = made
    assert (recipe.name, minutes, zoo) == ("denoise-ours", 10, Path("zoo-ours"))
    assert source in recipe.origin()["command"]


MINE = Microscope((3, 10), (0.2, 0.4), 0.02, row_jitter=0.5, afterglow=0.4)


def test_simulated_frames_of_a_microscope_teach_it(folder):
    recipe = fine_tune_for(PARENT, MINE, frames=8, **QUICK)
    assert recipe.trained_for["tuned_on"].startswith("8 simulated frames of a microscope: dose (3,")
    assert "one microscope" in recipe.summary

    def seen(seed, random):
        frames = MINE.frames(1, 96, torch.Generator().manual_seed(seed))
        return tuple(image[0].numpy() for image in frames)

    assert gain(recipe, folder, 40, seen) > 1


def test_a_microscope_is_what_it_says():
    correlation = []
    for afterglow in (0.0, 0.4):
        microscope = replace(MINE, afterglow=afterglow)
        noisy, truth = microscope.frames(6, 96, torch.Generator().manual_seed(3))
        assert noisy.shape == truth.shape == (6, 96, 96)
        peak = truth.amax(dim=(1, 2))
        assert peak.min() > 2
        assert peak.max() < 12
        noise = noisy - truth
        correlation.append((noise[:, :, 1:] * noise[:, :, :-1]).mean() / noise.square().mean())
    assert correlation[0].abs() < 0.03
    assert correlation[1] > 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dose = [3, 10]", "does not describe a microscope .*columns"),
        ("dose = [3, 10]\ncolumns = [0.2, 0.4]\npixel = 0.02\nspeed = 3", "speed.*; expected dose"),
        ("dose = [3, 1]\ncolumns = [0.2, 0.4]\npixel = 0.02", "dose of the microscope is 3 to 1"),
        ("dose = [3, 9]\ncolumns = [0.2, 0.4]\npixel = 0", "pixel of the microscope is 0 nm"),
        ("dose = [3, 9]\ncolumns = [0.02, 0.4]\npixel = 0.02", "cannot be seen with pixels"),
        ("dose = 3\ncolumns = [0.2, 0.4]\npixel = 0.02", "does not describe a microscope"),
        ("dose = [", "does not describe a microscope"),
    ],
)
def test_a_microscope_that_cannot_be_is_refused(tmp_path, text, message):
    (tmp_path / "microscope.toml").write_text(text)
    with pytest.raises(SystemExit, match=message):
        read_microscope(tmp_path / "microscope.toml")
    with pytest.raises(SystemExit, match="cannot be read"):
        read_microscope(tmp_path / "nowhere.toml")
