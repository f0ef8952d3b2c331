"""A folder that is being written: whole files only, each once, in order."""

import os
import threading

import numpy as np
import pytest

import stemzoo
from stemzoo.common.errors import FileError
from stemzoo.io import Micrograph, write
from stemzoo.streaming.folder import watch_folder

SOON = {"settle": 0.0, "patience": 0.0, "idle": 0.0}


def _frame(number):
    return np.full((6, 5), number, np.float32)


def _numbers(frames):
    return [int(frame.data[0, 0]) for frame in frames]


def test_files_come_once_in_the_order_they_were_finished(tmp_path):
    for number in (2, 10, 9, 1):
        path = tmp_path / f"frame_{number}.npy"
        np.save(path, _frame(number))
        os.utime(path, (1000, 1000 + (number == 1)))  # 1 was finished last
    assert _numbers(watch_folder(tmp_path, **SOON)) == [2, 9, 10, 1]


def test_what_comes_while_the_folder_is_watched(tmp_path):
    write(tmp_path / "a.tif", Micrograph(_frame(0), (0.1, 0.1), "nm"))
    seen = []
    for frame in watch_folder(tmp_path, **SOON):
        seen.append(frame)
        if len(seen) < 5:
            write(tmp_path / f"{len(seen)}.tif", Micrograph(_frame(len(seen)), (0.1, 0.1), "nm"))
    assert _numbers(seen) == [0, 1, 2, 3, 4]
    assert seen[-1].pixel_size == (0.1, 0.1)


def test_a_stack_comes_frame_by_frame(tmp_path):
    np.save(tmp_path / "stack.npy", np.stack([_frame(3), _frame(4)]))
    assert _numbers(watch_folder(tmp_path, **SOON)) == [3, 4]


def test_a_file_that_is_still_written_waits_until_it_is_whole(tmp_path):
    whole = tmp_path / "whole.npy"
    np.save(whole, _frame(7))
    content = whole.read_bytes()
    whole.unlink()
    late, early = tmp_path / "late.npy", tmp_path / "early.npy"
    late.write_bytes(content[:-20])
    np.save(early, _frame(1))
    seen = []
    for frame in watch_folder(tmp_path, settle=0.0, patience=60.0, idle=0.2):
        seen.append(frame)
        late.write_bytes(content)
    assert _numbers(seen) == [1, 7]


def test_a_file_that_grows_is_not_read_before_it_settles(tmp_path):
    path = tmp_path / "growing.npy"
    np.save(path, _frame(1))
    stop = threading.Event()
    frames = watch_folder(tmp_path, settle=3600.0, stop=stop)
    threading.Timer(0.2, stop.set).start()
    assert list(frames) == []


def test_a_file_that_stays_damaged_is_reported_and_the_stream_goes_on(tmp_path):
    (tmp_path / "torn.npy").write_bytes(b"\x93NUMPY")
    os.utime(tmp_path / "torn.npy", (1, 1))
    np.save(tmp_path / "good.npy", _frame(5))
    reported, seen = [], []
    stemzoo.live(
        watch_folder(tmp_path, **SOON),
        seen.append,
        model=None,
        drift=None,
        policy="block",
        on_error=lambda number, error: reported.append((number, str(error))),
    )
    assert [(number, "torn.npy" in message) for number, message in reported] == [(0, True)]
    assert [frame.id for frame in seen] == [1]


def test_what_is_no_recording_is_left_alone(tmp_path):
    np.save(tmp_path / ".hidden.npy", _frame(1))
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "folder.tif").mkdir()
    record = {"task": "denoise"}
    write(tmp_path / "a.denoised.tif", Micrograph(_frame(2)), provenance=record)
    np.save(tmp_path / "b.npy", _frame(3))
    assert _numbers(watch_folder(tmp_path, **SOON)) == [3]
    assert _numbers(watch_folder(tmp_path, pattern="a*", **SOON)) == []


def test_a_folder_as_the_source_of_a_stream(tmp_path):
    stop, seen = threading.Event(), []
    np.save(tmp_path / "a.npy", _frame(3))

    def sink(frame):
        seen.append(frame)
        stop.set()

    stemzoo.live(tmp_path, sink, model=None, drift=None, stop=stop)
    assert len(seen) == 1


def test_no_folder():
    with pytest.raises(FileError, match="nowhere is no folder"):
        watch_folder("nowhere")
