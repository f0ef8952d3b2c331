"""The denoising benchmark, without any peer and without measuring time."""

import dataclasses
import sys

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("skimage")

from benchmarks.denoise import __main__ as command
from benchmarks.denoise import methods, peer_scores, peers, report, strips
from benchmarks.peers import anscombe
from training.evaluation import cases, measures
from training.evaluation.colours import COLOURS, Colour
from training.evaluation.invented import invented

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene():
    random = np.random.default_rng(7)
    y, x = np.mgrid[:96, :96]
    image = 0.5 + 0.25 * (np.cos(y / 2) + np.cos(x / 2)) * random.uniform(0.9, 1)
    return cases.Scene("waves", image / image.max())


@pytest.fixture(scope="module")
def case(scene):
    noisy, truth = cases.coloured(scene, Colour(), 20.0, cases.CASE_SEED)
    return cases.Case("topic", "peak 20", "waves", noisy, truth, 20.0)


def test_cases_are_the_same_every_time(scene):
    for colour in COLOURS.values():
        one, two = (cases.coloured(scene, colour, 5.0, cases.CASE_SEED) for _ in range(2))
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])


def test_every_topic_has_cases_with_names_of_their_own():
    found = list(cases.cases(["blank", "no-atoms"], quick=True))
    assert {each.topic for each in found} == {"blank", "no atoms"}
    assert len({each.name for each in found}) == len(found)
    for each in found:
        side = cases.LARGE_CASE_SIDE if each.topic == "blank" else cases.CASE_SIDE
        assert each.noisy.shape == each.truth.shape == (side, side)
        assert each.noisy.dtype == np.float32
        assert np.isfinite(each.noisy).all()


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_keeps_the_mean_and_correlates_the_noise(name):
    colour = COLOURS[name]
    counts = np.random.default_rng(3).poisson(np.full((128, 128), 50.0)).astype(float)
    seen = colour.after(colour.before(counts))
    assert seen.shape == counts.shape
    assert abs(seen.mean() - 50) < 0.5
    noise = seen - seen.mean()
    along_x = (noise[:, 1:] * noise[:, :-1]).mean() / noise.var()
    along_y = (noise[1:] * noise[:-1]).mean() / noise.var()
    assert (along_x > 0.4) == (name != "afterglow along y")
    assert (along_y > 0.4) == (name != "afterglow along x")


def test_afterglow_starts_settled():
    np.testing.assert_allclose(Colour(glow_x=2, glow_y=3).after(np.full((4, 6), 2.5)), 2.5)


def test_jitter_moves_rows_along_x_only(scene):
    noisy, truth = cases.jittered(scene, 1.0, 1e6, cases.CASE_SEED)
    np.testing.assert_allclose(truth, scene.image[16:-16, 16:-16] * 1e6)
    # A picture that does not vary along x has nothing to show of it.
    flat = cases.Scene("flat", np.repeat(scene.image[:, :1], 96, 1))
    still, true = cases.jittered(flat, 1.0, 1e6, cases.CASE_SEED)
    assert measures.fidelity(still, true) > 55
    assert measures.fidelity(noisy, truth) < 40


def test_scores(case):
    perfect = measures.judged(case.truth + 1e-9, case)
    assert perfect.ssim > 0.9999
    assert perfect.psnr > 150
    faint = measures.judged(0.5 * case.truth, case)
    assert faint.slope == pytest.approx(0.5)


def test_the_border_is_nobodys(case):
    spoilt = case.truth + 1e-6
    spoilt[: measures.BORDER] = 1e3
    spoilt[:, -measures.BORDER :] = -1e3
    assert measures.fidelity(spoilt, case.truth) > 100


def test_a_blank_field_is_judged_by_the_noise_left():
    blank = next(iter(cases.cases(["blank"], quick=True)))
    score = measures.judged(blank.truth + 0.1 * (blank.noisy - blank.truth), blank)
    assert score.noise == pytest.approx(0.1)
    assert np.isnan(score.ssim)
    assert score.invented == 0
    assert measures.judged(blank.noisy, blank).invented > 1000


def test_a_spot_where_there_is_none_is_invented():
    truth = np.full((100, 100), 20.0)
    picture = truth.copy()
    picture[40:43, 50:53] += 4
    assert invented(picture, truth, noise=20**0.5) == pytest.approx(100)
    assert invented(picture, picture, noise=20**0.5) == 0
    assert invented(truth + 0.05 * (picture - truth), truth, noise=20**0.5) == 0


def test_the_inverse_of_the_anscombe_transform():
    """Unbiased: the inverse of the mean transform is the mean count (Makitalo & Foi 2011)."""
    counts = np.random.default_rng(4).poisson(6.0, 1_000_000)
    mean = anscombe.forward(counts).mean(keepdims=True)
    assert anscombe.inverse(mean)[0] == pytest.approx(6.0, abs=0.02)
    assert anscombe.forward(np.array([-2.0])) == anscombe.forward(np.array([0.0]))


def test_answers_are_cached_by_picture(case, tmp_path):
    calls = []

    def doubling(image):
        calls.append(image)
        return 2 * image, 0.1

    first = peers.cached(doubling, case, "peer", tmp_path)
    again = peers.cached(doubling, case, "peer", tmp_path)
    np.testing.assert_array_equal(first, again)
    assert len(calls) == 1
    other = dataclasses.replace(case, noisy=case.noisy + 1)
    np.testing.assert_array_equal(peers.cached(doubling, other, "peer", tmp_path), 2 * other.noisy)
    assert len(calls) == 2
    assert len(list(tmp_path.rglob("*.npy"))) == 1  # the stale answer is gone


def test_scores_of_other_packages_are_kept(case, tmp_path, monkeypatch):
    path = tmp_path / "scores.json"
    score = measures.Score(30.25, slope=0.987654321)
    peer_scores.PeerScores(path).put("a peer 1.0", case, score)
    kept = peer_scores.PeerScores(path)
    found = kept.get("a peer 1.0", case)
    assert (found.psnr, found.slope) == (30.25, 0.987654)
    assert np.isnan(found.ssim)
    assert kept.get("a peer 1.1", case) is None
    assert kept.get("a peer 1.0", dataclasses.replace(case, noisy=case.noisy + 1)) is None
    monkeypatch.setattr(peer_scores, "SCORING", measures.SCORING + 1)
    assert peer_scores.PeerScores(path).get("a peer 1.0", case) is None


def test_a_kept_score_is_not_measured_again(case, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "cases", lambda topics, quick: [case])
    calls = []

    def answer(each):
        calls.append(each)
        return each.noisy

    method = methods.Method("a peer 1.0", answer, answer, kept=True)
    scores = peer_scores.PeerScores(tmp_path / "scores.json")
    results = [command.run([method], ["topic"], scores)[0] for _ in range(2)]
    assert len(calls) == 1
    assert results[1][0].score.psnr == pytest.approx(results[0][0].score.psnr, rel=1e-5)


PROGRAM = """
from benchmarks.peers.loop import serve
import sys
if "--broken" in sys.argv:
    sys.exit("no such network")
def clean(image):
    print("a peer that talks")
    return image.T
serve(clean)
"""


@pytest.fixture
def peer(monkeypatch):
    """A program run by this Python in place of a peer's."""
    start = peers.subprocess.Popen

    def popen(arguments, **settings):
        return start([sys.executable, "-c", PROGRAM, *arguments[3:]], **settings)

    monkeypatch.setattr(peers.subprocess, "Popen", popen)
    return peers.Peer("a peer", "nowhere", "nothing")


def test_a_peer_answers_picture_after_picture(peer, random):
    runs = peers.Process(peer)
    for _ in range(2):
        image = random.normal(size=(5, 7)).astype(np.float32)
        answer, seconds = runs(image)
        np.testing.assert_array_equal(answer, image.T)
        assert seconds >= 0
    runs.close()


def test_a_peer_that_fails_says_why(peer, case):
    runs = peers.Process(dataclasses.replace(peer, options=("--broken",)))
    with pytest.raises(RuntimeError, match="a peer ended: no such network"):
        runs(case.noisy)
    runs.close()


def test_peers_that_are_not_there_are_left_out(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    assert methods.installed() == []
    assert "make .venv-tk_r_em/ready" in capsys.readouterr().err


def test_tables(case):
    score = measures.Score(30.0, 0.9, 1.0)
    better = dataclasses.replace(score, psnr=31.25)
    text = report.written(
        [
            report.Judged(peers.TK_R_EM.name, case, score),
            report.Judged("ours", case, better),
        ],
        {peers.TK_R_EM.name: {256: 2.0}, "ours": {256: 0.5}},
    )
    assert "| ours | 31.2 (+1.2) |" in text
    assert "| ours | 0.5 (0.25x) |" in text
    assert "| ours | 0.900 / 1.00 |" in text


def test_strips(case, tmp_path):
    large = dataclasses.replace(
        case, noisy=np.tile(case.noisy, (3, 3)), truth=np.tile(case.truth, (3, 3))
    )
    strips.save(tmp_path, "SrTiO3 [001], thick", [(large, {"raw": large.noisy})])
    assert [path.name for path in tmp_path.iterdir()] == ["srtio3-001-thick.png"]


def test_the_command(capsys):
    command.main(["blank", "--quick", "--no-timing", "--only", "raw", "Gaussian"])
    printed = capsys.readouterr().out
    assert "| raw | 100.0 %" in printed
    assert "tk_r_em 1.0.4" not in printed
    with pytest.raises(SystemExit):
        command.main(["no-such-topic"])
