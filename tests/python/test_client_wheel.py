"""clients/python/make_wheel.py: one wheel for every Python, which holds all that a frame needs."""

import base64
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import zipfile

import client_library
import pytest
import stemzoo_client

SCRIPT = client_library.CLIENT / "make_wheel.py"


@pytest.fixture(scope="module")
def module():
    spec = importlib.util.spec_from_file_location("make_wheel", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, SCRIPT, client_library.built(), "-o", folder]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (made,) = folder.iterdir()
    assert said.splitlines()[0] == str(made)
    return made


def test_it_is_one_wheel_for_every_python(wheel):
    name = rf"stemzoo_client-{stemzoo_client.__version__}-py3-none-manylinux_2_\d+_x86_64.whl"
    assert re.fullmatch(name, wheel.name)
    assert wheel.stat().st_size < 16 * 2**20
    with zipfile.ZipFile(wheel) as archive:
        assert archive.getinfo("stemzoo_client_files/libstemzoo.so").file_size <= 5e6


def test_its_record_is_of_its_files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        record = archive.read(names[-1]).decode().splitlines()
        assert record.pop() == f"{names[-1]},,"
        assert [line.split(",")[0] for line in record] == names[:-1]
        for line in record:
            name, digest, size = line.split(",")
            data = archive.read(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
            assert digest == f"sha256={expected.decode()}"
            assert int(size) == len(data)
    assert "stemzoo_client_files/live_denoise.py" in names
    models = [name.partition("/")[2] for name in names if name.endswith(".onnx")]
    assert sorted(re.sub(r"-[\d.]+\.onnx", "", name) for name in models) == [
        "denoise-atomic",
        "denoise-live",
        "drift-lattice",
    ]
    assert not [name for name in names if name.endswith((".pyd", ".pyc")) or "cpython" in name]


def test_equal_content_makes_an_equal_file(wheel, module, tmp_path):
    again = module.write_wheel(client_library.built(), tmp_path)
    assert again.read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("version", ["3.7", "3.13"])
def test_installed_alone_it_denoises_a_frame(wheel, tmp_path, version):
    install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target"]
    subprocess.run([sys.executable, *install, tmp_path / "site", wheel], check=True)
    runtime = client_library.runtime()
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path / "site")!r})
import stemzoo_client as stemzoo
frame = stemzoo.image(bytes(range(256)) * 16, (64, 64))
for name in ("denoise-live", "denoise-atomic"):
    assert stemzoo.Model(name).run(frame).shape == (64, 64)
print(stemzoo.drift(frame, frame, model="drift-lattice")[:2])
print(stemzoo.open_library().path)
"""
    environment = {name: value for name, value in os.environ.items() if "STEMZOO" not in name}
    environment["STEMZOO_ORT"] = str(runtime)
    command = [client_library.python(version), "-I", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    library = tmp_path / "site" / "stemzoo_client_files" / "libstemzoo.so"
    assert done.stdout.splitlines()[-1] == str(library)


def test_the_platform_is_that_of_the_library(module):
    linux = b"\x7fELF" + bytes(14) + b"\x3e\0"
    assert module.platform_of(linux, "a.so") == "manylinux_2_17_x86_64"
    newer = linux + b"\0GLIBC_2.2.5\0GLIBC_2.28\0GLIBC_2.9\0"
    assert module.platform_of(newer, "a.so") == "manylinux_2_28_x86_64"
    assert module.platform_of(b"MZ" + bytes(80), "a.dll") == "win_amd64"
    with pytest.raises(ValueError, match=r"a\.dylib is a shared library of no platform"):
        module.platform_of(b"\xcf\xfa\xed\xfe" + bytes(80), "a.dylib")


def test_auditwheel_agrees(wheel):
    pytest.importorskip("auditwheel", reason="auditwheel is not installed")
    command = [sys.executable, "-m", "auditwheel", "show", wheel]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    platform = wheel.stem.rpartition("-")[2]
    constrained = re.search(r'following platform tag:\s+"(\S+)"', said)
    assert constrained[1] == platform, said
