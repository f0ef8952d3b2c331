"""Pairs and series of every kind, and what the drift engine answers of each.

`python drift_cases.py OUT` writes the answers as JSON. golden_drift.json was written so by the
engine before this one, whose estimator and tracker were Python; its series again when the
refinement of a tracked frame began at the very top of the correlation's peak. Frames are made of
stable random bits and of rounded numbers, so that every platform sees the same pixels.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

import stemzoo

GOLDEN = Path(__file__).parent / "golden_drift.json"
NETWORK = "drift-lattice"
TOLD = 3  # candidates of each answer


def normal(shape, seed):
    """Nearly normal numbers of stable random bytes."""
    count = 12
    data = np.random.Generator(np.random.PCG64(seed)).bytes(count * math.prod(shape))
    sums = np.frombuffer(data, np.uint8).reshape(count, *shape).sum(0, dtype=np.int64)
    return (sums - count * 127.5) / 255.5


def counted(scene, dose, seed):
    expected = dose * scene
    return np.maximum(np.rint(expected + np.sqrt(expected) * normal(scene.shape, seed)), 0)


def lattice(shape, shift=(0.0, 0.0), *, period=11.0, spread=0.0, vacancies=0.0, inside=None):
    """Columns of a rotated square lattice; their heights differ by `spread`, some are missing."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    scene = np.full(shape, 0.05)
    reach = int(1.5 * max(shape) / period) + 3
    places = [(a, b) for a in range(-reach, reach + 1) for b in range(-reach, reach + 1)]
    heights = 1 + spread * normal((len(places),), 4)
    missing = np.frombuffer(np.random.Generator(np.random.PCG64(5)).bytes(len(places)), np.uint8)
    for (a, b), height, gone in zip(places, heights, missing, strict=True):
        cy = shape[0] / 2 + period * (a + 0.1 * b)
        cx = shape[1] / 2 + period * (b - 0.1 * a)
        if gone < 256 * vacancies or (inside and not inside(cy, cx)):
            continue
        cy, cx = cy + shift[0], cx + shift[1]
        if not (-8 < cy < shape[0] + 8 and -8 < cx < shape[1] + 8):
            continue
        top, left = max(int(cy) - 9, 0), max(int(cx) - 9, 0)
        part = np.s_[top : int(cy) + 10, left : int(cx) + 10]
        near = (y[part] - cy) ** 2 + (x[part] - cx) ** 2
        scene[part] += max(height, 0.1) * np.exp(-near / (2 * (0.22 * period) ** 2))
    return np.round(scene, 9)


def particle(shape, shift=(0.0, 0.0)):
    middle, radius = (shape[0] / 2, shape[1] / 2), 0.28 * min(shape)
    return lattice(shape, shift, inside=lambda y, x: math.dist((y, x), middle) < radius)


def corner(shape, shift=(0.0, 0.0)):
    """A quarter plane: broad edges and no lattice."""
    y, x = np.mgrid[: shape[0], : shape[1]] - np.reshape(shift, (2, 1, 1))
    edges = (1 / (1 + np.exp(-away)) for away in (y - 50 + 0.3 * x, x - 70 - 0.2 * y))
    return np.round(0.2 + 0.8 * np.prod(list(edges), axis=0), 9)


def blobs(shape, shift=(0.0, 0.0)):
    """Something without any lattice."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    scene = np.full(shape, 0.1)
    for cy, cx, width in 0.5 + 0.25 * normal((60, 3), 8):
        away = (y - cy * shape[0] - shift[0]) ** 2 + (x - cx * shape[1] - shift[1]) ** 2
        scene += np.exp(-away / (2 * (2 + 3 * abs(width)) ** 2))
    return np.round(scene, 9)


def pair(make, shape, shift, dose, seed=1, **options):
    return (
        counted(make(shape, **options), dose, seed),
        counted(make(shape, shift, **options), dose, seed + 1),
    )


def _troubles(frames):
    """The same pair, spoilt in every way; both frames alike."""

    def both(spoil):
        spoilt = [frame.copy() for frame in frames]
        for frame in spoilt:
            spoil(frame)
        return spoilt

    def put(place, value):
        def spoil(frame):
            frame[place] = value

        return spoil

    def add(values):
        def spoil(frame):
            frame += values

        return spoil

    side = frames[0].shape[0]
    stripes = np.round(20 * normal((frames[0].shape[1],), 7), 3)
    yield "hot pixel", both(put((40, 50), 1e4))
    yield "hot pixels", both(lambda frame: frame.put([1000, 1001, 5000, 0], [1e6, 2e6, 900, 4000]))
    yield "stripes down", both(add(stripes))
    yield "stripes across", both(add(stripes[:side, None] if side <= len(stripes) else 0))
    yield "constant rows", both(put(np.s_[60:63], 500))
    yield "dead column", both(put(np.s_[:, 30], 0))
    yield "dead first and last rows", both(put(np.s_[[0, 1, -1]], 0))
    yield "border of NaN", both(put(np.s_[:12], np.nan))
    still, moved = (frame.copy() for frame in frames)
    still[:20], moved[:, :25] = np.nan, np.nan
    yield "borders of NaN", (still, moved)
    masks = [np.zeros(frame.shape, bool) for frame in frames]
    masks[0][30:50, 70:80] = masks[1][50:58, 20:60] = True
    yield "masks", [np.ma.MaskedArray(f, m) for f, m in zip(frames, masks, strict=True)]
    yield "offset", [frame + 1e6 for frame in frames]
    yield "large offset of integers", [frame.astype("i8") + 2**40 for frame in frames]
    yield "large unit", [frame * 1e30 for frame in frames]
    yield "small unit", [frame * 1e-200 for frame in frames]
    yield "uint16", [frame.astype("u2") for frame in frames]
    yield "float32, by columns", [np.asfortranarray(frame.astype("f4")) for frame in frames]
    yield "negative", [-frame for frame in frames]
    yield "other brightness", (frames[0], 3 * frames[1] + 40)


def pairs():
    """(name, (reference, moving), max_shift)"""
    shift = (5.3, -7.6)
    for shape in ((128, 128), (101, 103), (97, 160), (64, 131), (256, 256)):
        for dose in (3, 100):
            label = f"{shape[0]} x {shape[1]}, dose {dose}"
            yield f"lattice, {label}", pair(lattice, shape, shift, dose), None
            given = pair(lattice, shape, shift, dose, spread=0.3)
            yield f"uneven lattice, {label}", given, None
            given = pair(lattice, shape, shift, dose, vacancies=0.03)
            yield f"vacancies, {label}", given, None
            yield f"particle, {label}", pair(particle, shape, shift, dose), None
    for shape in ((128, 128), (256, 256)):
        given = pair(lattice, shape, (3.2, 2.1), 30, period=6.0, vacancies=0.03)
        yield f"fine lattice, {shape}", given, None
        given = pair(lattice, shape, (-9.4, 2.1), 10, period=19.0, spread=0.1)
        yield f"coarse lattice, {shape}", given, None
        yield f"corner, {shape}", pair(corner, shape, (6.3, -4.4), 100), None
        yield f"blobs, {shape}", pair(blobs, shape, (11.3, -4.4), 20), None
        yield f"unlike, {shape}", (counted(blobs(shape), 9, 1), counted(lattice(shape), 9, 2)), None
        yield f"noise, {shape}", (normal(shape, 1), normal(shape, 2)), None
        yield f"itself, {shape}", (counted(blobs(shape), 9, 1),) * 2, None
    yield "without noise", (particle((128, 128)), particle((128, 128), (4.0, 2.5))), None
    frames = pair(lattice, (128, 128), shift, 100, spread=0.3)
    for name, spoilt in _troubles(frames):
        yield name, spoilt, None
    blank = np.full((128, 128), 3.5)
    yield "blank reference", (blank, frames[1]), None
    yield "blank moving", (frames[0], np.zeros((128, 128))), None
    yield "short reach", frames, 4
    yield "reach of a period", frames, 14
    yield "long reach", frames, 100
    far = pair(lattice, (256, 256), (70.2, -61.7), 100, spread=0.4)
    yield "far", far, None
    yield "too far", far, 60
    for shape in ((2, 2), (15, 64), (16, 16), (17, 300), (300, 40)):
        yield f"noise twice, {shape}", (normal(shape, 3),) * 2, None
        yield f"blobs, {shape}", pair(blobs, shape, (1.0, 2.0), 50), None


def series():
    """(name, frames, options of the tracker, times)"""
    shape = (128, 128)
    walk = [(0.9 * k, -0.6 * k) for k in range(40)]
    for make, options in ((particle, {}), (lattice, {"vacancies": 0.03}), (lattice, {})):
        name = f"{make.__name__} {options or 'without faults'}"
        frames = [counted(make(shape, at, **options), 30, k) for k, at in enumerate(walk[:24])]
        if options or make is particle:  # else each lattice vector is as good, by a rounding error
            yield f"steady, {name}", frames, {}, None
        yield f"steady, {name}, reach 5", frames, {"max_shift": 5}, None
    uneven = [counted(lattice(shape, at, spread=0.3), 30, k) for k, at in enumerate(walk[:20])]
    yield "renewed", uneven, {"max_shift": 12}, None
    yield "never renewed", uneven, {"max_shift": 30, "renew": None}, None
    yield "times", uneven, {"max_shift": 12}, [100 + 0.25 * k for k in range(20)]
    lost = [frame.copy() for frame in uneven]
    lost[5] = np.zeros(shape)
    lost[9] = counted(np.full(shape, 0.4), 30, 99)
    lost[14] = counted(lattice(shape, walk[14]), 30, 14)
    lost[15] = counted(lattice(shape, walk[15]), 30, 15)
    yield "blank, noise and another specimen", lost, {"max_shift": 12}, None
    jump = uneven[:11] + [
        counted(lattice(shape, (walk[k][0] + 14.0, walk[k][1]), spread=0.3), 30, k)
        for k in range(11, 20)
    ]
    yield "a jump", jump, {}, None
    resolved = uneven[:8] + [counted(lattice(shape, at), 30, 8) for at in walk[8:9]] + uneven[9:12]
    yield "resolved by the prediction", resolved, {}, None


def told(drift):
    """A drift as JSON has it."""

    def number(value):
        return value if math.isfinite(value) else str(value)

    return {
        "shift": [number(drift.dy), number(drift.dx)],
        "sigma": [number(value) for value in drift.sigma],
        "ambiguous": drift.ambiguous,
        "score": drift.score,
        "reason": drift.reason,
        "candidates": [[round(x, 9) for x in each] for each in drift.candidates[:TOLD]],
        "others": len(drift.candidates),
        **({"resolved": drift.resolved} if hasattr(drift, "resolved") else {}),
    }


def answers(*, models=(NETWORK, None)):
    """(name, answer) of all of them."""
    for name, frames, max_shift in pairs():
        for model in models:
            found = stemzoo.drift(*frames, model, max_shift=max_shift, threads=1)
            yield f"{name}, {model}", told(found)
    for name, frames, options, times in series():
        for model in models:
            track = stemzoo.DriftTracker(frames[0], model, threads=1, **options)
            found = [
                track.push(frame, None if times is None else times[at])
                for at, frame in enumerate(frames[1:], 1)
            ]
            place = track.predict()
            yield (
                f"{name}, {model}",
                {
                    "drifts": [told(each) for each in found],
                    "rate": list(track.rate),
                    "rate_sigma": list(track.rate_sigma),
                    "prediction": [place.dy, place.dx, *place.sigma],
                },
            )
    stack = np.stack(next(frames for name, frames, *_ in series() if name.startswith("blank")))
    for model in models:
        for band in (3, None):
            found = stemzoo.align(stack, model, band=band, max_shift=30, threads=1)
            yield (
                f"align, band {band}, {model}",
                {
                    "shifts": np.nan_to_num(found.shifts, nan=1e6).tolist(),
                    "sigma": np.nan_to_num(found.sigma, nan=1e6).tolist(),
                    "rejected": found.rejected.tolist(),
                    "ambiguous_frames": found.ambiguous.tolist(),
                },
            )


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(each)}" for name, each in answers())
    Path(sys.argv[1]).write_text("{" + ",\n".join(lines) + "}\n")
