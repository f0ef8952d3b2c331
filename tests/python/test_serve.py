"""The frame service gives what a direct call gives, by its documented protocol."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest

import stemzoo
from stemzoo.cli.main import main
from stemzoo.common.errors import FileError
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import MIB, State
from tests.python.frame_client import Client, message

TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def service():
    with Server("127.0.0.1", 0, State(max_frame=4 * MIB)).running() as server:
        yield server


@pytest.fixture
def client(service):
    with Client(service.address) as client:
        yield client


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(0).poisson(9, (64, 80)).astype(np.uint16)


def _url(service, path):
    return f"http://127.0.0.1:{service.address[1]}{path}"


def _get(service, path, **headers):
    with urllib.request.urlopen(
        urllib.request.Request(_url(service, path), headers=headers)
    ) as got:
        return got.headers.get_content_type(), got.read()


def test_hello_models_and_status(client):
    assert client.call("hello")[0]["stemzoo"] == stemzoo.__version__
    names = [model["name"] for model in client.call("models")[0]["models"]]
    assert names == [info.name for info in stemzoo.models()]
    assert client.call("status")[0]["status"]["connections"]["open"] >= 1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_denoise_is_the_direct_call(client, frame, dtype):
    given = frame.astype(dtype)
    header, image = client.call("denoise", given, model="denoise-live")
    assert (header["dtype"], header["shape"]) == ("float32", [64, 80])
    np.testing.assert_array_equal(image, stemzoo.denoise(given, "denoise-live"))


def test_restore_and_settings(client, frame):
    _, image = client.call("restore", frame, fast_axis="x", mean=9.0, std=3.0)
    np.testing.assert_array_equal(image, stemzoo.restore(frame, fast_axis="x", mean=9.0, std=3.0))


def test_a_stack(client, frame):
    stack = np.stack([frame, frame[::-1]])
    _, image = client.call("denoise", stack, model="denoise-live")
    np.testing.assert_array_equal(image, stemzoo.denoise(stack, "denoise-live"))


def test_drift_and_tracker(client, frame):
    moved = np.roll(frame, (2, -3), (0, 1))
    direct = stemzoo.drift(frame, moved, None, max_shift=9)
    found = client.call("drift", np.stack([frame, moved]), model=None, max_shift=9)[0]["drift"]
    assert (found["dy"], found["dx"]) == (direct.dy, direct.dx)
    assert found["sigma"] == list(direct.sigma)
    tracker = client.call("tracker.open", frame, model=None)[0]["tracker"]
    tracked = client.call("tracker.push", moved, tracker=tracker)[0]["drift"]
    assert (tracked["dy"], tracked["dx"]) == pytest.approx((2, -3), abs=0.1)
    predicted = client.call("tracker.predict", tracker=tracker)[0]["prediction"]
    assert predicted.keys() == {"dy", "dx", "sigma"}
    client.call("tracker.close", tracker=tracker)
    assert "tracker is 0" in client.refused("tracker.push", moved, tracker=tracker)["message"]


def test_unknown_drift_is_null(client):
    noise = np.random.default_rng(1).normal(size=(2, 32, 32)).astype("f4")
    noise[1] = 1
    found = client.call("drift", noise, model=None)[0]["drift"]
    assert (found["dy"], found["sigma"], found["ambiguous"]) == (None, [None, None], True)


def test_shared_memory(client, frame):
    size = frame.size * 4
    memory = SharedMemory(client.call("memory.open", bytes=size)[0]["memory"])
    try:
        np.ndarray(frame.shape, frame.dtype, memory.buf)[...] = frame
        told = {"dtype": "uint16", "shape": list(frame.shape), "memory": True}
        header, pixels = client.call("denoise", model="denoise-live", **told)
        assert header["memory"] is True
        assert pixels is None
        image = np.ndarray(header["shape"], header["dtype"], memory.buf).copy()
        np.testing.assert_array_equal(image, stemzoo.denoise(frame, "denoise-live"))
        told["shape"] = [999, 999]
        assert "shared memory" in client.refused("denoise", **told)["message"]
    finally:
        memory.close()


def test_shared_memory_goes_with_the_connection(service):
    with Client(service.address) as client:
        name = client.call("memory.open", bytes=100)[0]["memory"]
        client.call("memory.open", bytes=200)
        with pytest.raises(FileNotFoundError):
            SharedMemory(name)


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        ("paint", {}, "call is 'paint'; expected one of hello"),
        ("denoise", {"modell": 1}, "denoise has no argument 'modell'; it has: model"),
        ("denoise", {"model": "../zoo/a.onnx"}, "model is '../zoo/a.onnx'; expected the name"),
        ("denoise", {"model": "a.onnx"}, "model is 'a.onnx'; expected the name"),
        ("denoise", {"model": "drift-lattice"}, "is a model for drift"),
        ("denoise", {"mean": "much", "std": 1}, "mean is 'much'"),
        ("drift", {}, "drift has a frame of 2-D; expected 3-D"),
        ("tracker.open", {"max_shift": 1e9}, "max_shift is"),
    ],
)
def test_a_wrong_argument_is_told_and_the_connection_goes_on(
    client, frame, call, arguments, message
):
    error = client.refused(call, frame, **arguments)
    assert error["code"] == "value"
    assert message in error["message"]
    assert "stemzoo" in client.call("hello")[0]


def test_a_model_that_is_not_there(client, frame):
    assert client.refused("denoise", frame, model="nobody")["code"] == "model"
    assert "stemzoo" in client.call("hello")[0]


def test_the_page_and_what_it_shows(service, client, frame):
    client.call("denoise", frame, model="denoise-live")
    kind, page = _get(service, "/")
    assert kind == "text/html"
    assert b"/page.js" in page
    assert _get(service, "/page.js")[0] == "text/javascript"
    health = json.loads(_get(service, "/health")[1])
    assert health["calls"]["denoise"]["count"] >= 1
    kind, picture = _get(service, "/picture.png")
    assert (kind, picture[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert json.loads(_get(service, "/models")[1])["models"]


def test_a_call_over_http(service, frame):
    header = {"version": 1, "id": 5, "call": "denoise", "model": "denoise-live"}
    header |= {"dtype": "uint16", "shape": list(frame.shape)}
    body = message(header) + frame.astype("<u2").tobytes()
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(_url(service, "/call"), body, headers)
    with urllib.request.urlopen(request) as got:
        content = got.read()
    pixels = np.frombuffer(content[-4 * frame.size :], "<f4").reshape(frame.shape)
    np.testing.assert_array_equal(pixels, stemzoo.denoise(frame, "denoise-live"))


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/etc/passwd", {}, 404),
        ("/../server.py", {}, 404),
        ("/", {"Host": "evil.example:80"}, 403),
    ],
)
def test_what_http_refuses(service, path, headers, status):
    with pytest.raises(urllib.error.HTTPError) as refused:
        _get(service, path, **headers)
    assert refused.value.code == status
    refused.value.close()


def test_a_page_of_another_site_cannot_call(service):
    request = urllib.request.Request(_url(service, "/call"), b"x", {"Content-Type": "text/plain"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 415
    refused.value.close()


def test_a_token_is_needed_where_there_is_one(frame):
    with Server("127.0.0.1", 0, State(TOKEN)).running() as server:
        for token in (None, "0123456789abcdeg", TOKEN + "0"):
            with Client(server.address, token) as client:
                assert client.refused("denoise", frame)["code"] == "unauthorized"
                assert client.receive() is None
        with Client(server.address, TOKEN) as client:
            assert "stemzoo" in client.call("hello")[0]
        for path in ("/", "/health", "/picture.png", "/models"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                _get(server, path, Authorization="Bearer wrong")
            assert refused.value.code == 401
            refused.value.close()
        assert _get(server, "/health", Authorization=f"Bearer {TOKEN}")
        assert _get(server, "/", Authorization="Basic OjAxMjM0NTY3ODlhYmNkZWY=")  # :TOKEN


def test_off_loopback_there_is_no_service_without_a_token(tmp_path, capsys):
    assert main(["serve", "--host", "0.0.0.0", "--port", "0"]) == 1
    assert "there is no token; give one with --token-file" in capsys.readouterr().err
    (tmp_path / "token").write_text("short\n")
    assert main(["serve", "--token-file", str(tmp_path / "token"), "--port", "0"]) == 1
    assert "the token has 5 characters; expected at least 16" in capsys.readouterr().err


def test_sigterm_ends_the_command_in_order():
    command = [sys.executable, "-m", "stemzoo", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        port = int(line.rsplit(":", 1)[1].split("/")[0])
        with Client(("127.0.0.1", port)) as client:
            name = client.call("memory.open", bytes=100)[0]["memory"]
            process.send_signal(signal.SIGTERM)
            assert client.receive() is None
        assert process.stdout.read() == "stopped\n"
        assert process.wait(20) == 0
    assert not Path("/dev/shm", name).exists()


def test_the_example_in_the_documentation(frame):
    text = (Path(__file__).parents[2] / "docs" / "serve.md").read_text()
    example = text.rsplit("```python\n", 1)[1].split("```")[0]
    with Server("127.0.0.1", 0, State()).running() as server:
        names = {}
        exec(example.replace("7836", str(server.address[1])), names)
    given = np.full((64, 64), 5, "u2")
    given[32, 32] = 900
    expected = stemzoo.denoise(given, "denoise-live")
    np.testing.assert_array_equal(np.array(names["clean"]).reshape(64, 64), expected)


def test_details_say_how_a_result_was_made(client, frame):
    header, image = client.call("denoise", frame, model="denoise-live", details=True)
    run = stemzoo.load("denoise-live").run(frame)
    np.testing.assert_array_equal(image, run.image)
    assert header["settings"].items() >= json.loads(json.dumps(run.settings)).items()
    assert header["settings"]["software"]["stemzoo"] == stemzoo.__version__
    assert header["warnings"] == list(run.warnings)
    header, _ = client.call("restore", frame, details=True)
    assert header["settings"]["scan"].keys() == {"fast_axis", "denoiser"}


def test_the_page_of_a_folder(tmp_path):
    (tmp_path / "index.html").write_text("the page")
    (tmp_path / "secret.key").write_text("not for anybody")
    with Server("127.0.0.1", 0, State(page=tmp_path)).running() as server:
        assert _get(server, "/") == ("text/html", b"the page")
        assert json.loads(_get(server, "/site.json")[1]) == {"service": stemzoo.__version__}
        assert b"/page.js" in _get(server, "/status")[1]
        for path in ("/secret.key", "/../index.html", "/%2e%2e/index.html"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                _get(server, path)
    with pytest.raises(FileError, match="holds no index"):
        State(page=tmp_path / "nothing")
