"""stemzoo for hosts whose Python or NumPy is frozen: denoise images, measure drift, place rows.

One file for CPython 3.7 and later, standard library only. It calls the C library (libstemzoo.so,
stemzoo.dll), or a frame service on this or another computer:

    import stemzoo_client as stemzoo

    model = stemzoo.Model("denoise-live")              # a name, a file, or the bytes of one
    clean = model.run(frame)                           # float32, of the same shape
    track = stemzoo.DriftTracker(frame)
    drift = track.push(next_frame)                     # Drift(dy, dx, sigma, ambiguous, ...)

    service = stemzoo.connect("127.0.0.1", 7836)       # the same calls, by `stemzoo serve`
    clean = service.denoise(frame, model="denoise-live")
    service.live(camera, show)                         # denoises a stream and follows its drift

Images are 2-D: NumPy arrays of any version (numpy is never imported), memoryviews, ctypes arrays,
whatever has the buffer protocol or `__array_interface__`. Flat buffers, such as bytes, bytearray
and array.array, get a shape by `image(buffer, (rows, columns), "uint16")`. They are read where they
lie. A result is written into `out`, where that is given; else it is a NumPy array where the image
was one, and a 2-D memoryview of float32 where not.

Threads: the interpreter lock is free while the library works. Models, NCC references and estimators
may be shared; a tracker, and a connection, take calls one after the other. Closing an object waits
for nobody: what is still at work ends first, and the last to leave frees the memory. Whatever is
not closed is closed when it is collected, at the latest when the interpreter exits.
"""

from __future__ import annotations

import contextlib
import ctypes
import glob
import json
import math
import mmap
import operator
import os
import re
import socket
import struct
import sys
import threading
import weakref
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

__version__ = "0.1.0"
__all__ = [
    "ArgumentError",
    "Candidate",
    "Drift",
    "DriftTracker",
    "Estimator",
    "LiveFrame",
    "Model",
    "NccReference",
    "Prediction",
    "Row",
    "Service",
    "StemzooError",
    "apply_rows",
    "connect",
    "drift",
    "find_rows",
    "image",
    "ncc",
    "open_library",
]

Pair = Tuple[float, float]  # (y, x)
_Self = TypeVar("_Self")
_Read = TypeVar("_Read")


class StemzooError(Exception):
    """What the library or the service could not do. `status` is the number that stemzoo.h gives it
    (1 to 8), or the word of the service ("busy", "model", ...), or "connection"."""

    def __init__(self, message: str, status: Union[int, str]) -> None:
        super().__init__(message)
        self.status = status


class ArgumentError(StemzooError, ValueError):
    """What was given cannot be used."""

    def __init__(self, message: str, status: Union[int, str] = 1) -> None:
        super().__init__(message, status)


class Candidate(NamedTuple):
    """Where else features may have moved, px, and how probable that is."""

    dy: float
    dx: float
    probability: float


class Drift(NamedTuple):
    """Features moved by (dy, dx) pixels: moving(r) = reference(r - d)."""

    dy: float  # NaN where nothing can be said
    dx: float
    sigma: Pair  # standard deviation along y and x
    ambiguous: bool  # not to be trusted, and `reason` says why
    score: float  # correlation of the frames once the drift is undone
    candidates: Tuple[Candidate, ...]  # other drifts that it could be, the most probable first
    reason: str
    resolved: bool  # a tracker's prediction chose among the candidates
    probability: float  # of (dy, dx): what all other candidates leave of one


class Prediction(NamedTuple):
    """Where features are expected: moved by (dy, dx) pixels since the first reference."""

    dy: float
    dx: float
    sigma: Pair


class LiveFrame(NamedTuple):
    """One frame of a live stream, and what the service made of it."""

    id: int  # its number in the source, from 0; dropped frames are counted
    image: Any  # denoised; None where only the drift was asked for
    drift: Optional[Drift]  # None where no drift was asked for
    reference: Optional[int]  # id of the frame that the drift is measured from
    dropped: int  # frames so far


class Row(NamedTuple):
    """Where the beam was while a row was recorded: image[y, x] = specimen(y + dy, x + dx)."""

    dy: float
    dx: float
    sigma_y: float
    sigma_x: float


_BAD_ARGUMENT, _CANNOT_READ, _NO_RUNTIME = 1, 3, 4  # enum stemzoo_status


# ---- Pixels -------------------------------------------------------------------------------------

_DTYPES = (  # in the order of enum stemzoo_dtype
    ("uint8", "B"),
    ("int8", "b"),
    ("uint16", "H"),
    ("int16", "h"),
    ("uint32", "I"),
    ("int32", "i"),
    ("uint64", "Q"),
    ("int64", "q"),
    ("float32", "f"),
    ("float64", "d"),
)
_NAMES = [name for name, _ in _DTYPES]
_CODES: Dict[str, Any] = dict(_DTYPES)
_KINDS = dict.fromkeys("BHILQN?", "uint")
_KINDS.update(dict.fromkeys("bhilqn", "int"))
_KINDS.update(dict.fromkeys("efdg", "float"))
_FOREIGN = ">!" if sys.byteorder == "little" else "<"


def image(
    pixels: Any, shape: Optional[Sequence[int]] = None, dtype: str = "uint8", mask: Any = None
) -> Image:
    """An image of what is not one by itself: a flat buffer with its shape and dtype ("uint16"), or
    pixels with a mask, one byte a pixel, nonzero where the pixel is no measurement.

        frame = image(camera.read(), (512, 512), "uint16")
    """
    if shape is not None:
        if dtype not in _NAMES:
            raise ArgumentError("dtype is {!r}; expected one of {}".format(dtype, _NAMES))
        flat = memoryview(pixels)
        if not flat.c_contiguous or len(shape) != 2 or min(shape) < 1:
            raise ArgumentError(
                "shape is {}; expected (rows, columns) for a buffer in one piece".format(shape)
            )
        code = _CODES[dtype]
        needed = shape[0] * shape[1] * struct.calcsize(code)
        if flat.nbytes != needed:
            raise ArgumentError(
                "the buffer has {} bytes; an image of {} x {} pixels of {} has {}".format(
                    flat.nbytes, shape[0], shape[1], dtype, needed
                )
            )
        pixels = flat.cast("B").cast(code, tuple(shape))
    return Image(pixels, mask)


class Image:
    """Pixels and their mask, as made by `image`."""

    def __init__(self, pixels: Any, mask: Any) -> None:
        self.pixels = pixels
        self.mask = mask


class _PyBuffer(ctypes.Structure):
    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


_FULL_RO = 0x011C  # PyBUF_FULL_RO


def _address(view: memoryview) -> int:
    """Where the first pixel lies; good as long as `view` is."""
    buffer = _PyBuffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(view), ctypes.byref(buffer), _FULL_RO)
    try:
        return int(buffer.buf or 0)
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))


class _Pixels:
    """Real pixels in native byte order, as they lie in somebody's memory."""

    def __init__(self, given: Any, name: str, ndim: Tuple[int, ...] = (2,)) -> None:
        self.name = name
        pixels, mask = _apart(given)
        self.is_numpy = _is_numpy(pixels)
        self._hold: Any = pixels
        self.shape: Tuple[int, ...]
        self.strides: Tuple[int, ...]
        self.mask: Optional[_Pixels] = None
        try:
            view = memoryview(pixels)
        except (TypeError, ValueError, BufferError) as error:
            if isinstance(pixels, memoryview):
                raise ArgumentError("{} cannot be read ({})".format(name, error)) from error
            code, self.itemsize = self._read_interface(pixels)
        else:
            self._hold, code, self.itemsize = view, view.format, view.itemsize
            self.shape, self.strides = tuple(view.shape or ()), tuple(view.strides or ())
            self.readonly = view.readonly
            self.address = _address(view)
        self.dtype = self._dtype(code)
        if len(self.shape) not in ndim:
            raise ArgumentError(
                "{} has shape {}; expected an image (rows, columns){}".format(
                    name,
                    self.shape,
                    ": give a flat buffer its shape by image(buffer, (rows, columns), dtype)"
                    if len(self.shape) < 2
                    else "",
                )
            )
        if 0 in self.shape:
            raise ArgumentError("{} has shape {}: no pixels".format(name, self.shape))
        if mask is not None:
            self.mask = self._mask(mask)

    def _read_interface(self, pixels: Any) -> Tuple[str, int]:
        interface = getattr(pixels, "__array_interface__", None)
        if not isinstance(interface, dict):
            raise ArgumentError(
                "{} is {}; expected a 2-D array of real numbers with the buffer protocol or "
                "__array_interface__".format(self.name, type(pixels).__name__)
            )
        typestr, data = interface["typestr"], interface.get("data")
        if not isinstance(data, tuple):
            raise ArgumentError("{} does not say where its pixels lie".format(self.name))
        number = re.match(r"([<>|=])([buifc])(\d+)$", typestr)
        if not number:
            return typestr, 1  # refused by _dtype
        order, kind, itemsize = number.group(1), number.group(2), int(number.group(3))
        self.shape, strides = tuple(interface["shape"]), interface.get("strides")
        self.strides = tuple(strides or self._dense(itemsize))
        self.address, self.readonly = data
        self._hold = (pixels, interface)  # either may own the memory
        letter = {"b": "B", "u": "B", "i": "b", "f": "f", "c": "Z"}[kind]
        return order.replace("|", "@") + letter, itemsize

    def _dense(self, itemsize: int) -> List[int]:
        """The strides of an array in one piece."""
        return [itemsize * _product(self.shape[axis + 1 :]) for axis in range(len(self.shape))]

    def _dtype(self, code: str) -> str:
        order, letter = (code[0], code[1:]) if code[:1] in tuple("@=<>!") else ("@", code)
        if order in _FOREIGN and self.itemsize > 1:
            raise ArgumentError(
                "{} is in foreign byte order ({}); convert it to this computer's".format(
                    self.name, code
                )
            )
        name = "{}{}".format(_KINDS.get(letter, letter), 8 * self.itemsize)
        if name not in _NAMES:
            raise ArgumentError(
                "{} has pixels of format {!r}{}; expected one of {}".format(
                    self.name,
                    code,
                    " (complex: take its real part or its magnitude)" * ("Z" in code),
                    ", ".join(_NAMES),
                )
            )
        return name

    def _mask(self, mask: Any) -> _Pixels:
        pixels = _Pixels(mask, "the mask of " + self.name).plain()
        if pixels.itemsize != 1 or pixels.shape != self.shape:
            raise ArgumentError(
                "{} has shape {} and {} bytes a pixel; expected {} and one".format(
                    pixels.name, pixels.shape, pixels.itemsize, self.shape
                )
            )
        return pixels if pixels.strides[1] == 1 else pixels.copied()

    @property
    def contiguous(self) -> bool:
        dense = self._dense(self.itemsize)
        return all(n == 1 or a == b for n, a, b in zip(self.shape, self.strides, dense))

    def plain(self) -> _Pixels:
        """Itself where strides count whole, aligned elements, and none is 0; else a copy."""
        numbers = [self.address, *self.strides]
        indirect = isinstance(self._hold, memoryview) and self._hold.suboffsets
        whole = 0 not in numbers and not any(number % self.itemsize for number in numbers)
        return self if whole and not indirect else self.copied()

    def copied(self, dtype: Optional[str] = None) -> _Pixels:
        """The same pixels in one piece, and in another dtype where that is given."""
        if dtype is None or dtype == self.dtype:
            raw = bytearray(self.raw())
        else:
            from array import array

            values = memoryview(self.raw()).cast("B").cast(_CODES[self.dtype])
            raw = bytearray(array(_CODES[dtype], values).tobytes())
        copy = _Pixels(_shaped(raw, dtype or self.dtype, self.shape), self.name, (2, 3))
        copy.mask, copy.is_numpy = self.mask, self.is_numpy
        return copy

    def raw(self) -> Any:
        """The bytes of the pixels in C order; themselves where they lie so."""
        if self.contiguous:
            count = self.itemsize * _product(self.shape)
            return memoryview((ctypes.c_char * count).from_address(self.address)).cast("B")
        if isinstance(self._hold, memoryview):
            return self._hold.tobytes()
        raise ArgumentError("{} does not lie in one piece; pass a copy of it".format(self.name))

    def struct(self) -> _Image:
        rows, columns = self.shape
        steps = [stride // self.itemsize for stride in self.strides]
        mask = self.mask
        return _Image(
            self.address,
            _NAMES.index(self.dtype),
            rows,
            columns,
            steps[0],
            steps[1],
            None if mask is None else mask.address,
            0 if mask is None else mask.strides[0],
        )


def _is_numpy(given: Any) -> bool:
    return isinstance(given, getattr(sys.modules.get("numpy"), "ndarray", ()))


def _apart(given: Any) -> Tuple[Any, Any]:
    """The pixels and the mask, if any."""
    if isinstance(given, Image):
        return given.pixels, given.mask
    masked: Any = getattr(sys.modules.get("numpy.ma"), "MaskedArray", ())
    if isinstance(given, masked):
        return given.data, given.mask if getattr(given.mask, "shape", ()) else None
    return given, None


def _product(sizes: Sequence[int]) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count


def _shaped(raw: bytearray, dtype: str, shape: Sequence[int]) -> Any:
    return memoryview(raw).cast(_CODES[dtype], tuple(shape))


def _input(given: Any, name: str) -> _Pixels:
    return _Pixels(given, name).plain()


def _output(out: Any, shape: Sequence[int], like: _Pixels) -> Tuple[Any, _Pixels]:
    """What the caller gets: `out`, or a new image of the kind of `like`; and where it lies."""
    if out is None and like.is_numpy:
        out = sys.modules["numpy"].empty(tuple(shape), "float32")
    elif out is None:
        out = _shaped(bytearray(4 * _product(shape)), "float32", shape)
    place = _Pixels(out, "out", (2, 3))
    if place.readonly:
        raise ArgumentError("out is read-only; expected an image that can be written")
    if place.dtype != "float32" or place.shape != tuple(shape) or place.mask is not None:
        raise ArgumentError(
            "out is {} of shape {}; expected float32 of shape {}, without a mask".format(
                place.dtype, place.shape, tuple(shape)
            )
        )
    if place.strides[-1] != 4 or place.plain() is not place:
        raise ArgumentError("the pixels of a row of out do not lie side by side, or rows overlap")
    return out, place


# ---- The C library: stemzoo.h -------------------------------------------------------------------


class _Image(ctypes.Structure):
    _fields_ = [
        ("pixels", ctypes.c_void_p),
        ("dtype", ctypes.c_int),
        ("rows", ctypes.c_size_t),
        ("cols", ctypes.c_size_t),
        ("row_stride", ctypes.c_ssize_t),
        ("col_stride", ctypes.c_ssize_t),
        ("mask", ctypes.c_void_p),
        ("mask_row_stride", ctypes.c_ssize_t),
    ]


class _Provider(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("keys", ctypes.POINTER(ctypes.c_char_p)),
        ("values", ctypes.POINTER(ctypes.c_char_p)),
        ("count", ctypes.c_size_t),
        ("library", ctypes.c_char_p),
    ]


class _ModelOptions(ctypes.Structure):
    _fields_ = [
        ("providers", ctypes.POINTER(_Provider)),
        ("provider_count", ctypes.c_size_t),
        ("threads", ctypes.c_int),
    ]


_Progress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)


class _RunOptions(ctypes.Structure):
    _fields_ = [
        ("given_normalisation", ctypes.c_int),
        ("mean", ctypes.c_double),
        ("std", ctypes.c_double),
        ("progress", _Progress),
        ("user", ctypes.c_void_p),
    ]


class _Candidate(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in Candidate._fields]


class _Drift(ctypes.Structure):
    _fields_ = [
        ("dy", ctypes.c_double),
        ("dx", ctypes.c_double),
        ("sigma_y", ctypes.c_double),
        ("sigma_x", ctypes.c_double),
        ("score", ctypes.c_double),
        ("probability", ctypes.c_double),
        ("ambiguous", ctypes.c_int),
        ("resolved", ctypes.c_int),
        ("reason", ctypes.c_char_p),
        ("candidate_count", ctypes.c_size_t),
        ("candidates", _Candidate * 16),
    ]

    def named(self) -> Drift:
        candidates = tuple(
            Candidate(other.dy, other.dx, other.probability)
            for other in self.candidates[: self.candidate_count]
        )
        return Drift(
            self.dy,
            self.dx,
            (self.sigma_y, self.sigma_x),
            bool(self.ambiguous),
            self.score,
            candidates,
            (self.reason or b"").decode("utf-8", "replace"),
            bool(self.resolved),
            self.probability,
        )


class _DriftOptions(ctypes.Structure):
    _fields_ = [
        ("model", ctypes.c_void_p),
        ("max_shift", ctypes.c_size_t),
        ("renew", ctypes.c_double),
        ("threads", ctypes.c_int),
    ]


class _Row(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in Row._fields]


class _RowsOptions(ctypes.Structure):
    _fields_ = [
        ("reach_y", ctypes.c_size_t),
        ("reach_x", ctypes.c_size_t),
        ("slow", ctypes.c_double),
        ("threads", ctypes.c_int),
    ]


_P = ctypes.POINTER
_OBJECT, _SIZE, _STEP = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_ssize_t
_NEW, _FLOATS = _P(ctypes.c_void_p), ctypes.c_void_p
_CALLS: Dict[str, List[Any]] = {
    "runtime_load": [ctypes.c_char_p],
    "runtime_info": [_P(ctypes.c_char_p), _P(ctypes.c_char_p)],
    "model_open": [ctypes.c_char_p, _P(_ModelOptions), _NEW],
    "model_open_memory": [ctypes.c_char_p, _SIZE, _P(_ModelOptions), _NEW],
    "model_metadata": [_OBJECT, ctypes.c_char_p, _P(ctypes.c_char_p)],
    "model_run": [_OBJECT, _P(_Image), _P(_RunOptions), _FLOATS, _STEP],
    "model_close": [_OBJECT],
    "ncc_create": [_P(_Image), _SIZE, _SIZE, ctypes.c_double, ctypes.c_int, _NEW],
    "ncc_run": [_OBJECT, _P(_Image), _FLOATS],
    "ncc_close": [_OBJECT],
    "estimator_create": [_SIZE, _SIZE, _P(_DriftOptions), _NEW],
    "estimator_run": [_OBJECT, _P(_Image), _P(_Image), _P(_Drift)],
    "estimator_close": [_OBJECT],
    "tracker_create": [_P(_Image), _P(_DriftOptions), _NEW],
    "tracker_push": [_OBJECT, _P(_Image), ctypes.c_double, _P(_Drift)],
    "tracker_predict": [_OBJECT, ctypes.c_double, *[_P(ctypes.c_double)] * 4],
    "tracker_close": [_OBJECT],
    "rows_find_progress": [
        *[_FLOATS, _FLOATS, _SIZE, _SIZE, _P(_RowsOptions)],
        *[_Progress, ctypes.c_void_p, _P(_Row)],
    ],
    "rows_apply": [_FLOATS, _SIZE, _SIZE, _P(_Row), _FLOATS],
}


class Library:
    """The C library; made by `open_library`."""

    def __init__(self, path: str) -> None:
        try:
            loaded = ctypes.CDLL(path)
            loaded.stemzoo_version.restype = ctypes.c_char_p
            self.version = loaded.stemzoo_version().decode()
            self._last_error = loaded.stemzoo_last_error
            self._last_error.restype = ctypes.c_char_p
            self._functions = {name: getattr(loaded, "stemzoo_" + name) for name in _CALLS}
        except (OSError, AttributeError) as error:
            raise StemzooError(
                "{} cannot be used as the C library of stemzoo ({}); put the library beside "
                "stemzoo_client.py, or name its path in STEMZOO_LIBRARY".format(path, error),
                _CANNOT_READ,
            ) from error
        if self.version.split(".")[:2] != __version__.split(".")[:2]:
            raise StemzooError(
                "{} is stemzoo {}, and this client is written for {}; use the client that came "
                "with the library".format(path, self.version, __version__),
                _CANNOT_READ,
            )
        self.path = path
        for name, arguments in _CALLS.items():
            self._functions[name].argtypes = arguments
            self._functions[name].restype = ctypes.c_int

    def call(self, name: str, *arguments: Any) -> None:
        """Calls stemzoo_NAME; StemzooError where that returns anything but 0."""
        status = self._functions[name](*arguments)
        if status == 0:
            return
        message = (self._last_error() or b"").decode("utf-8", "replace")
        if status == _BAD_ARGUMENT:
            raise ArgumentError(message)
        raise StemzooError(message or "stemzoo_{} failed".format(name), status)

    def load_runtime(self, path: Optional[str] = None) -> Tuple[str, str]:
        """Loads ONNX Runtime, from `path` where that is given: its version, and where it was found.

        The first model does it by itself; see stemzoo_runtime_load for where it looks.
        """
        self.call("runtime_load", None if path is None else os.fsencode(path))
        version, found = ctypes.c_char_p(), ctypes.c_char_p()
        self.call("runtime_info", ctypes.byref(version), ctypes.byref(found))
        return (version.value or b"").decode(), os.fsdecode(found.value or b"")


_opened: Optional[Library] = None
_opening = threading.Lock()
_HERE = os.path.dirname(os.path.abspath(__file__))
_FILES = os.path.join(_HERE, "stemzoo_client_files")  # a wheel's library and models


def open_library(path: Optional[str] = None) -> Library:
    """The C library: `path`, or else the file that STEMZOO_LIBRARY names, one beside this file, or
    the system's. Done by itself at first use, and once a process."""
    global _opened
    with _opening:
        if _opened is None:
            _opened = Library(os.path.abspath(path) if path else _found_library())
        elif path is not None and os.path.abspath(path) != _opened.path:
            raise StemzooError(
                "{} is loaded already; a process has one library, so {} has to be opened before "
                "anything else".format(_opened.path, path),
                _CANNOT_READ,
            )
        return _opened


def _found_library() -> str:
    named = os.environ.get("STEMZOO_LIBRARY")
    if named:
        return named
    if sys.platform == "win32":
        names = ["stemzoo.dll", "libstemzoo.dll"]
    elif sys.platform == "darwin":
        names = ["libstemzoo.dylib"]
    else:
        names = ["libstemzoo.so", "libstemzoo.so.0"]
    for folder in (_HERE, _FILES):
        for name in names:
            if os.path.exists(os.path.join(folder, name)):
                return os.path.join(folder, name)
    return names[-1]  # the system looks for it


def _runtime_on_path() -> Optional[str]:
    """ONNX Runtime in a package on sys.path, of which the C library knows nothing."""
    name = "onnxruntime.dll" if sys.platform == "win32" else "libonnxruntime.*"
    for folder in sys.path:
        for path in sorted(glob.glob(os.path.join(folder, "onnxruntime", "capi", name))):
            return path
    return None


class _Handle:
    """An object of the C library. It is freed when its owner closed it and no call is in it."""

    def __init__(self, library: Library, kind: str, create: str, *arguments: Any) -> None:
        pointer = ctypes.c_void_p()
        library.call(create, *arguments, ctypes.byref(pointer))
        self.library = library
        self._kind = kind
        self._pointer = pointer
        self._lock = threading.Lock()
        self._users = 1  # the owner
        self._open = True

    def __enter__(self) -> ctypes.c_void_p:
        with self._lock:
            if not self._open:
                raise ArgumentError("this {} is closed; make another one".format(self._kind))
            self._users += 1
        return self._pointer

    def __exit__(self, *error: Any) -> None:
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            self.library.call(self._kind + "_close", self._pointer)

    def close(self) -> None:
        with self._lock:
            was_open, self._open = self._open, False
        if was_open:
            self.__exit__()


class _Owner:
    """What has a handle: closed by hand, by `with`, when collected, or at exit."""

    def _own(self, handle: _Handle) -> None:
        self._handle = handle
        self.close: Callable[[], Any] = weakref.finalize(self, handle.close)

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def _whole(value: Any, least: int, most: int = (1 << 31) - 1) -> Optional[int]:
    """The value as an int, which NumPy's integers are not; None where it is no such number."""
    try:
        number = operator.index(value)
    except TypeError:
        return None
    return number if least <= number <= most and not isinstance(value, bool) else None


def _whole_pair(pair: Any, least: Tuple[int, int]) -> Optional[Tuple[int, int]]:
    """(y, x), each a whole number; None where it is not."""
    try:
        y, x = pair
    except (TypeError, ValueError):
        return None
    dy, dx = _whole(y, least[0]), _whole(x, least[1])
    return None if dy is None or dx is None else (dy, dx)


def _threads(threads: Optional[int]) -> int:
    number = 0 if threads is None else _whole(threads, 0, 1024)
    if number is None:
        raise ArgumentError(
            "threads is {!r}; expected a whole number from 1 to 1024, or 0 for all cores".format(
                threads
            )
        )
    return number


class Model(_Owner):
    """A network: normalise, split into tiles, run, blend.

    `source` is a file, the bytes of one, or a name ("denoise-live", "denoise-live@1.0.0") that is
    looked for beside this file and in the folders of STEMZOO_SITE. `providers` are execution
    providers of ONNX Runtime, the most wanted first: names, or (name, options), or (name, options,
    library of the plug-in that brings it). `threads` 0 is all cores.
    """

    def __init__(
        self, source: Any, threads: Optional[int] = 0, providers: Sequence[Any] = ()
    ) -> None:
        options = _ModelOptions(*_provider_array(providers), _threads(threads))
        library = open_library()
        if isinstance(source, (bytes, bytearray, memoryview)):
            content = bytes(source)
            call: Tuple[Any, ...] = ("model_open_memory", content, len(content))
        else:
            call = ("model_open", os.fsencode(find_model(source)))
        try:
            handle = _Handle(library, "model", *call, ctypes.byref(options))
        except StemzooError as error:
            runtime = _runtime_on_path()
            if error.status != _NO_RUNTIME or runtime is None:
                raise
            library.load_runtime(runtime)
            handle = _Handle(library, "model", *call, ctypes.byref(options))
        self._own(handle)

    def metadata(self, key: str) -> Optional[str]:
        """What the model says about itself ("name", "version", "task", "limits", ...), or None."""
        value = ctypes.c_char_p()
        with self._handle as model:
            self._handle.library.call(
                "model_metadata", model, key.encode("utf-8"), ctypes.byref(value)
            )
            return None if value.value is None else value.value.decode("utf-8", "replace")

    @property
    def name(self) -> Optional[str]:
        return self.metadata("name")

    @property
    def version(self) -> Optional[str]:
        return self.metadata("version")

    @property
    def task(self) -> Optional[str]:
        return self.metadata("task")

    def run(
        self,
        image: Any,
        out: Any = None,
        mean: Optional[float] = None,
        std: Optional[float] = None,
        progress: Optional[Callable[[int, int], Any]] = None,
    ) -> Any:
        """The image, denoised or restored: float32, in `out` where that is given (which may be
        `image` itself).

        With `mean` and `std` these normalise it instead of its own, for frames of a series that are
        to keep their brightness. `progress(done, total)` is called from time to time; whatever it
        raises, a KeyboardInterrupt too, ends the run and reaches the caller.
        """
        if (mean is None) != (std is None):
            raise ArgumentError("mean and std are given together, or neither is")
        pixels = _input(image, "image")
        result, place = _output(out, pixels.shape, pixels)
        report = _Report(progress)
        options = _RunOptions(mean is not None, mean or 0.0, std or 0.0, report.function, None)
        with self._handle as model, report:
            self._handle.library.call(
                "model_run",
                model,
                ctypes.byref(pixels.struct()),
                ctypes.byref(options),
                place.address,
                place.strides[0] // 4,
            )
        return result


class _Report:
    """A progress function as C calls it. What it raises cancels the run, and is raised after it."""

    def __init__(self, progress: Optional[Callable[[int, int], Any]]) -> None:
        self._raised: Optional[BaseException] = None
        self._progress = progress
        self.function = _Progress() if progress is None else _Progress(self._called)

    def _called(self, user: Any, done: int, total: int) -> int:
        try:
            self._progress(done, total)  # type: ignore[misc]
        except BaseException as error:
            self._raised = error
        return self._raised is not None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        if self._raised is not None:
            raise self._raised


def _provider_array(providers: Sequence[Any]) -> Tuple[Any, int]:
    if isinstance(providers, str):
        raise ArgumentError("providers is {!r}; expected a list of names".format(providers))
    array = (_Provider * len(providers))()
    for place, provider in zip(array, providers):
        name, options, library = _parts(provider)
        place.name = name.encode("utf-8")
        place.keys, place.values = map(_texts, (list(options), list(options.values())))
        place.count = len(options)
        place.library = None if library is None else os.fsencode(library)
    return array, len(providers)


def _parts(provider: Any) -> Tuple[str, Dict[str, Any], Any]:
    """Name, options, library; a name may stand alone, and so may a name with options."""
    given = (provider,) if isinstance(provider, str) else tuple(provider)
    name, options, library = given + (None,) * (3 - len(given))
    return name, options or {}, library


def _texts(values: Sequence[Any]) -> Any:
    return (ctypes.c_char_p * len(values))(*(str(value).encode("utf-8") for value in values))


def find_model(source: Any) -> str:
    """The file of a model: itself where it is one, else the one of that name and, unless
    "name@version" says which, the highest version."""
    path = os.fsdecode(os.fspath(source))
    if path.endswith(".onnx") or os.path.basename(path) != path or os.path.isfile(path):
        return path
    folders = [_HERE, _FILES, *filter(None, os.environ.get("STEMZOO_SITE", "").split(os.pathsep))]
    name = path.partition("@")[0]
    return newest_model(path, [*folders, *(os.path.join(folder, name) for folder in folders)])


def newest_model(asked: str, folders: Sequence[str]) -> str:
    """The file of the model "name" or "name@version" that lies in one of the folders."""
    name, _, version = asked.partition("@")
    pattern = re.compile(re.escape(name) + r"-(\d+)\.(\d+)\.(\d+)\.onnx$")
    found = []
    for folder in folders:
        for path in glob.glob(os.path.join(glob.escape(folder), "*.onnx")):
            match = pattern.match(os.path.basename(path))
            if match and version in ("", ".".join(match.groups())):
                found.append((tuple(map(int, match.groups())), path))
    if not found:
        raise StemzooError(
            "there is no model {!r} in {}; give the path of its .onnx file, or name the folder of "
            "the models in STEMZOO_SITE".format(asked, ", ".join(folders)),
            _CANNOT_READ,
        )
    return max(found)[1]


# ---- Normalised cross-correlation ---------------------------------------------------------------


def _max_shifts(max_shift: Any) -> Tuple[int, int]:
    both = _whole(max_shift, 0)
    pair = _whole_pair(max_shift, (0, 0)) if both is None else (both, both)
    if pair is None:
        raise ArgumentError(
            "max_shift is {!r}; expected whole pixels (dy, dx), or one number for both, at least "
            "0".format(max_shift)
        )
    return pair


class NccReference(_Owner):
    """A reference that is transformed once, for frame after frame of its shape against it."""

    def __init__(
        self,
        reference: Any,
        max_shift: Union[int, Tuple[int, int]] = 32,
        min_overlap: float = 0.25,
        threads: Optional[int] = 0,
    ) -> None:
        dy, dx = _max_shifts(max_shift)
        pixels = _input(reference, "reference")
        self._shape = (2 * dy + 1, 2 * dx + 1)
        arguments = (ctypes.byref(pixels.struct()), dy, dx, min_overlap, _threads(threads))
        self._own(_Handle(open_library(), "ncc", "ncc_create", *arguments))

    def run(self, moving: Any) -> Any:
        """How alike the two are at every shift: [m + dy, m + dx] is Pearson's correlation of
        reference(r) and moving(r + d) over the pixels that both have."""
        pixels = _input(moving, "moving")
        result, place = _output(None, self._shape, pixels)
        with self._handle as reference:
            self._handle.library.call(
                "ncc_run", reference, ctypes.byref(pixels.struct()), place.address
            )
        return result


def ncc(
    reference: Any,
    moving: Any,
    max_shift: Union[int, Tuple[int, int]] = 32,
    min_overlap: float = 0.25,
    threads: Optional[int] = 0,
) -> Any:
    """The normalised cross-correlation of two images, zero shift in the middle."""
    with NccReference(reference, max_shift, min_overlap, threads) as made:
        return made.run(moving)


# ---- Drift --------------------------------------------------------------------------------------


def _made(
    kind: str,
    arguments: Sequence[Any],
    model: Any,
    max_shift: Optional[int],
    renew: Optional[float],
    threads: Optional[int],
) -> _Handle:
    """An estimator or a tracker."""
    most = 0 if max_shift is None else _whole(max_shift, 1)
    if most is None:
        raise ArgumentError(
            "max_shift is {!r}; expected a whole number of pixels, at least 1, or None for a third "
            "of the frame".format(max_shift)
        )
    if renew is not None and not 0 < renew <= 1:
        raise ArgumentError(
            "renew is {!r}; expected a share of max_shift, above 0 and at most 1, or None to keep "
            "the first reference".format(renew)
        )
    options = _DriftOptions(None, most, -1.0 if renew is None else renew, _threads(threads))
    library, create = open_library(), kind + "_create"
    if model is None:
        return _Handle(library, kind, create, *arguments, ctypes.byref(options))
    reader = model if isinstance(model, Model) else Model(model, threads)
    with reader._handle as options.model:
        return _Handle(library, kind, create, *arguments, ctypes.byref(options))


class Estimator(_Owner):
    """Drifts between frames of one shape.

    `model` is a drift model ("drift-lattice"), or None for the classical estimator, which needs no
    ONNX Runtime. Shifts are looked for up to `max_shift` px, by default a third of the frame.
    """

    def __init__(
        self,
        shape: Tuple[int, int],
        model: Any = None,
        max_shift: Optional[int] = None,
        threads: Optional[int] = 0,
    ) -> None:
        sides = _whole_pair(shape, (1, 1))
        if sides is None:
            raise ArgumentError("shape is {!r}; expected (rows, columns)".format(shape))
        self._own(_made("estimator", sides, model, max_shift, None, threads))

    def run(self, reference: Any, moving: Any) -> Drift:
        """How far features moved from `reference` to `moving`."""
        return self._measured(_input(reference, "reference"), _input(moving, "moving"))

    def _measured(self, still: _Pixels, moved: _Pixels) -> Drift:
        found = _Drift()
        with self._handle as estimator:
            self._handle.library.call(
                "estimator_run",
                estimator,
                ctypes.byref(still.struct()),
                ctypes.byref(moved.struct()),
                ctypes.byref(found),
            )
        return found.named()


def drift(
    reference: Any,
    moving: Any,
    model: Any = None,
    max_shift: Optional[int] = None,
    threads: Optional[int] = 0,
) -> Drift:
    """The drift from `reference` to `moving`, two images of one shape; see `Estimator`."""
    still, moved = _input(reference, "reference"), _input(moving, "moving")
    with Estimator((still.shape[0], still.shape[1]), model, max_shift, threads) as estimator:
        return estimator._measured(still, moved)


class DriftTracker(_Owner):
    """Follows the drift of a series that is still being recorded, from its first frame on.

    The reference is renewed where features moved by more than the share `renew` of `max_shift`;
    with None, never. The other arguments are those of `Estimator`.
    """

    def __init__(
        self,
        reference: Any,
        model: Any = None,
        max_shift: Optional[int] = None,
        renew: Optional[float] = 0.5,
        threads: Optional[int] = 0,
    ) -> None:
        pixels = _input(reference, "reference")
        frame = ctypes.byref(pixels.struct())
        self._own(_made("tracker", (frame,), model, max_shift, renew, threads))

    def push(self, frame: Any, time: Optional[float] = None) -> Drift:
        """The drift of the next frame since the first. `time` is when it was recorded, on any
        clock; give one with every frame, or with none. A frame that fails changes nothing."""
        pixels, found = _input(frame, "frame"), _Drift()
        with self._handle as tracker:
            self._handle.library.call(
                "tracker_push",
                tracker,
                ctypes.byref(pixels.struct()),
                math.nan if time is None else time,
                ctypes.byref(found),
            )
        return found.named()

    def predict(self, time: Optional[float] = None) -> Prediction:
        """Where features will be at `time`, by default in the next frame."""
        numbers = [ctypes.c_double() for _ in range(4)]
        with self._handle as tracker:
            self._handle.library.call(
                "tracker_predict",
                tracker,
                math.nan if time is None else time,
                *map(ctypes.byref, numbers),
            )
        dy, dx, sigma_y, sigma_x = (number.value for number in numbers)
        return Prediction(dy, dx, (sigma_y, sigma_x))


# ---- Rows of a scan -----------------------------------------------------------------------------


def _floats(given: Any, name: str) -> _Pixels:
    pixels = _input(given, name)
    if pixels.mask is not None:
        raise ArgumentError("{} has a mask, and rows are placed by all pixels".format(name))
    plain = pixels.contiguous and pixels.dtype == "float32"
    return pixels if plain else pixels.copied("float32")


def _image_and_pilot(image: Any, pilot: Any) -> List[_Pixels]:
    pixels, estimate = _floats(image, "image"), _floats(pilot, "pilot")
    if pixels.shape != estimate.shape:
        raise ArgumentError(
            "image has shape {} and pilot {}; expected one shape".format(
                pixels.shape, estimate.shape
            )
        )
    return [pixels, estimate]


def _reach(reach: Any) -> Tuple[int, int]:
    pair = _whole_pair(reach, (0, 1))
    if pair is None:
        raise ArgumentError(
            "reach is {!r}; expected whole pixels (y, x), 0 or more across rows and 1 or more "
            "along them".format(reach)
        )
    return pair


def _slow(slow: Optional[float]) -> float:
    """Rows; 0 leaves nothing to the specimen."""
    try:
        rows = float(slow or 0)
    except (TypeError, ValueError, OverflowError):
        rows = math.nan
    if not 0 <= rows < math.inf:
        raise ArgumentError(
            "slow is {!r}; expected a number of rows, 0 or more, or None".format(slow)
        )
    return rows


def find_rows(
    image: Any,
    pilot: Any,
    reach: Optional[Tuple[int, int]] = None,
    slow: Optional[float] = 25.0,
    threads: Optional[int] = 0,
    progress: Optional[Callable[[int, int], Any]] = None,
) -> List[Row]:
    """Where the beam was while each row was recorded, by the likelihood of its counts given
    `pilot`, an estimate of the specimen without noise, such as a network's.

    Rows are looked for up to `reach` (y, x) px away, by default 5 px along themselves only.
    Displacements slower than `slow` rows, beyond what jitter has there, are left to the specimen;
    with 0 or None, none are. `progress` is as in `Model.run`.
    """
    pixels, estimate = _image_and_pilot(image, pilot)
    rows, columns = pixels.shape
    dy, dx = (0, 0) if reach is None else _reach(reach)  # the library's default
    options = _RowsOptions(dy, dx, _slow(slow) or -1.0, _threads(threads))
    found = (_Row * rows)()
    report = _Report(progress)
    with report:
        open_library().call(
            "rows_find_progress",
            pixels.address,
            estimate.address,
            rows,
            columns,
            ctypes.byref(options),
            report.function,
            None,
            found,
        )
    return [Row(row.dy, row.dx, row.sigma_y, row.sigma_x) for row in found]


def apply_rows(image: Any, rows: Sequence[Row]) -> Any:
    """The image with its rows put where the beam was. `rows` may be those of another detector's
    image of the same scan."""
    pixels = _floats(image, "image")
    places = _row_array(rows, pixels.shape)
    result, place = _output(None, pixels.shape, pixels)
    open_library().call("rows_apply", pixels.address, *pixels.shape, places, place.address)
    return result


def _row_array(rows: Sequence[Row], shape: Sequence[int]) -> Any:
    """The rows as C has them, one for each of the image."""
    if len(rows) != shape[0]:
        raise ArgumentError(
            "there are {} rows for an image of shape {}; expected one for each of its {} rows, as "
            "find_rows gives them".format(len(rows), tuple(shape), shape[0])
        )
    try:
        return (_Row * len(rows))(*(_Row(*row) for row in rows))
    except TypeError as error:
        raise ArgumentError(
            "a row is no Row ({}); expected (dy, dx, sigma_y, sigma_x), as find_rows gives "
            "them".format(error)
        ) from error


# ---- The frame service: docs/serve.md -----------------------------------------------------------

_MAGIC = b"STZ1"
_EXACT = ("uint8", "int8", "uint16", "int16", "float32")  # which float32 holds to the last bit
_MOST_HEADER = 65536
_FILE_MAP_READ = 4  # of Windows


def connect(
    host: str = "127.0.0.1",
    port: int = 7836,
    token: Optional[str] = None,
    timeout: Optional[float] = 60.0,
    shared_memory: bool = False,
) -> Service:
    """A connection to `stemzoo serve`. An answer that takes longer than `timeout` seconds is an
    error; with None, there is no limit. With `shared_memory`, frames do not go through the socket:
    that is faster, and for a service on this computer only."""
    return Service(host, port, token, timeout, shared_memory)


class Service:
    """The calls of stemzoo over a connection; made by `connect`. Threads take turns."""

    def __init__(
        self,
        host: str,
        port: int,
        token: Optional[str],
        timeout: Optional[float],
        shared_memory: bool,
    ) -> None:
        if sys.byteorder != "little":
            raise StemzooError("the service takes little-endian pixels only", "connection")
        self._token = token
        self._id = 0
        self._streaming = False
        self._memory: Optional[mmap.mmap] = None
        self._shared = shared_memory
        self._lock = threading.RLock()
        self._where = "{}:{}".format(host, port)
        self._timeout = timeout
        self._closed = False
        if _whole(port, 1, 65535) is None:
            raise ArgumentError("port is {!r}; expected 1 to 65535".format(port))
        try:
            self._socket = socket.create_connection((host, port), timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _notice_silence(self._socket)
        except OSError as error:
            raise StemzooError(
                "the service at {}: {}; is `stemzoo serve` running there?".format(
                    self._where, error
                ),
                "connection",
            ) from error
        self._stream = self._socket.makefile("rb")
        self._most: Optional[int] = None  # bytes of a frame
        try:
            hello = self._call("hello", {})
            self.version, self._most = str(hello["stemzoo"]), int(hello["max_frame"])
        except (KeyError, TypeError, ValueError) as error:
            lost = self._lost(ValueError("what answers there is no stemzoo service"))
            self.close()
            raise lost from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the connection. A call of another thread that waits for its answer fails."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        self._socket.close()
        self._forget_memory()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def models(self) -> List[Dict[str, Any]]:
        """What there is: name, version, task and size of each model."""
        return self._ask(lambda answer: list(answer["models"]), "models", {})

    def status(self) -> Dict[str, Any]:
        """What the page of the service shows."""
        return self._ask(lambda answer: dict(answer["status"]), "status", {})

    def denoise(
        self, image: Any, model: str = "denoise-atomic", out: Any = None, **arguments: Any
    ) -> Any:
        """An image or a stack, denoised: float32, in `out` where that is given. `mean` and `std`
        as in `Model.run`."""
        return self._image("denoise", image, out, model=model, **arguments)

    def restore(
        self, image: Any, model: str = "restore-scan", out: Any = None, **arguments: Any
    ) -> Any:
        """An image or a stack, its rows put where the beam was, and denoised. `fast_axis` is "x",
        "y" or None; `mean` and `std` as in `Model.run`."""
        return self._image("restore", image, out, model=model, **arguments)

    def drift(
        self,
        reference: Any,
        moving: Any,
        model: Optional[str] = "drift-lattice",
        max_shift: Optional[int] = None,
    ) -> Drift:
        """How far features moved from `reference` to `moving`; `model` None is the classical
        estimator."""
        arguments = {"model": model, "max_shift": max_shift}
        return self._ask(_told, "drift", arguments, _sent_pair(reference, moving))

    def ncc(self, reference: Any, moving: Any, max_shift: Union[int, Tuple[int, int]] = 32) -> Any:
        """The normalised cross-correlation of two images, zero shift in the middle."""
        dy, dx = _max_shifts(max_shift)
        frames = _sent_pair(reference, moving)
        result, place = _output(None, (2 * dy + 1, 2 * dx + 1), frames[0])
        self._call("ncc", {"max_shift": [dy, dx]}, frames, place)
        return result

    def find_rows(
        self,
        image: Any,
        pilot: Any,
        reach: Optional[Tuple[int, int]] = None,
        slow: Optional[float] = 25.0,
    ) -> List[Row]:
        """As the function of this name; `apply_rows` takes what it finds."""
        frames = _image_and_pilot(image, pilot)
        places = bytearray(ctypes.sizeof(_Row) * frames[0].shape[0])
        found = _shaped(places, "float64", (frames[0].shape[0], len(Row._fields)))
        arguments = {"reach": None if reach is None else _reach(reach), "slow": _slow(slow)}
        self._call("rows", arguments, frames, _Pixels(found, "rows"))
        return [Row(*row) for row in found.tolist()]

    def apply_rows(self, image: Any, rows: Sequence[Row]) -> Any:
        """As the function of this name, to the last bit."""
        pixels = _sent(image, "image", (2,))
        if pixels.dtype not in _EXACT:
            pixels = pixels.copied("float32")
        places = bytearray(_row_array(rows, pixels.shape))
        behind = _Pixels(_shaped(places, "float64", (len(rows), len(Row._fields))), "rows")
        result, place = _output(None, pixels.shape, pixels)
        self._call("rows.apply", {"rows": len(rows)}, [pixels], place, [behind])
        return result

    def tracker(
        self,
        reference: Any,
        model: Optional[str] = "drift-lattice",
        max_shift: Optional[int] = None,
    ) -> ServiceTracker:
        """A DriftTracker that lives in the service, until it is closed or the connection ends."""
        pixels = _sent(reference, "reference", (2,))
        arguments = {"model": model, "max_shift": max_shift}
        number = self._ask(
            lambda answer: int(answer["tracker"]), "tracker.open", arguments, [pixels]
        )
        return ServiceTracker(self, number)

    def live(
        self,
        source: Iterable[Any],
        sink: Callable[[LiveFrame], Any],
        model: Optional[str] = "denoise-live",
        drift: Optional[str] = "drift-lattice",
        policy: str = "newest",
        max_shift: Optional[int] = None,
        on_error: Optional[Callable[[int, StemzooError], Any]] = None,
        stop: Optional[threading.Event] = None,
        name: str = "live",
        image: bool = True,
    ) -> Dict[str, Any]:
        """Denoises the frames of a stream and follows their drift, until the source ends; what was
        counted is returned. The arguments are those of `stemzoo.live`.

            service.live(camera, lambda frame: show(frame.image, frame.drift))

        A thread takes frames from `source`; `sink` is called on this one. A frame that cannot be
        used is given to `on_error(id, error)`, and the stream goes on. What the source raises ends
        the stream, and is raised here; what the sink raises closes the connection too. `stop` is
        looked at before each frame. Spectators find the stream by its `name`; without `image`,
        results have no pixels.
        """
        with self._lock:
            settings = {"name": name, "policy": policy, "max_shift": max_shift, "image": image}
            self._call("live.open", {"model": model, "drift": drift, **settings})
            self._streaming = True  # so that calls of other threads fail and do not wait
        pushing = _Pushing(self, source, stop or threading.Event())
        try:
            for result in self._results(pushing):
                if isinstance(result, LiveFrame):
                    sink(result)
                elif on_error:
                    on_error(*result)
        except BaseException:
            self.close()  # results that nobody reads are on their way
            raise
        finally:
            pushing.over, self._streaming = True, False
        if pushing.failure is not None:
            raise pushing.failure
        return pushing.statistics

    def _image(self, call: str, image: Any, out: Any, **arguments: Any) -> Any:
        pixels = _sent(image, "image", (2, 3))
        result, place = _output(out, pixels.shape, pixels)
        self._call(call, arguments, [pixels], place)
        return result

    def _call(
        self,
        call: str,
        arguments: Dict[str, Any],
        frames: Sequence[_Pixels] = (),
        place: Optional[_Pixels] = None,
        behind: Sequence[_Pixels] = (),
    ) -> Dict[str, Any]:
        return self._ask(dict, call, arguments, frames, place, behind)

    def _ask(
        self,
        read: Callable[[Dict[str, Any]], _Read],
        call: str,
        arguments: Dict[str, Any],
        frames: Sequence[_Pixels] = (),
        place: Optional[_Pixels] = None,
        behind: Sequence[_Pixels] = (),
    ) -> _Read:
        """One request, and what `read` makes of its answer. A connection that is out of step is
        closed. What is `behind` follows the frames; the arguments announce it."""
        payload = [*frames, *behind]
        with self._lock:
            if self._streaming:
                raise ArgumentError("this connection has a live stream; open another one")
            if self._closed:
                raise self._lost(None)
            self._require_room(payload)
            try:
                memory = self._memory_for(payload, place)
                self._send(call, arguments, frames, behind, memory)
                answer = self._received()
                if "error" in answer:
                    raise _understood(_refusal, answer["error"])
                if answer["id"] != self._id:
                    raise ValueError("answer {} came to request {}".format(answer["id"], self._id))
                if place is not None:
                    self._receive_pixels(answer, place, memory)
                return _understood(read, answer)
            except StemzooError as error:
                if error.status in ("protocol", "too_large", "unauthorized", "busy", "connection"):
                    self.close()
                raise
            except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
                lost = self._lost(error)
                self.close()
                raise lost from error
            except BaseException:
                self.close()
                raise

    def _require_room(self, frames: Sequence[_Pixels]) -> None:
        size = sum(frame.itemsize * _product(frame.shape) for frame in frames)
        if self._most is not None and size > self._most:
            raise ArgumentError(
                "the frames have {} bytes, and the service at {} takes {} at most; send fewer at a "
                "time, or start it with a larger --max-frame".format(size, self._where, self._most)
            )

    def _send(
        self,
        call: str,
        arguments: Dict[str, Any],
        frames: Sequence[_Pixels] = (),
        behind: Sequence[_Pixels] = (),
        memory: Optional[mmap.mmap] = None,
    ) -> None:
        self._id += 1
        payload = [*frames, *behind]
        header: Dict[str, Any] = {"version": 1, "id": self._id, "call": call}
        if self._token is not None:
            header["token"] = self._token
        for key, value in arguments.items():
            if value is not None or key in ("model", "drift"):  # which may be none
                header[key] = value
        if frames:
            shape = frames[0].shape if len(frames) == 1 else (len(frames), *frames[0].shape)
            header.update(dtype=frames[0].dtype, shape=shape)
        if memory is not None:
            header["memory"] = True
            memory.seek(0)
            for part in payload:
                memory.write(part.raw())
        text = json.dumps(header).encode("utf-8")
        try:
            self._socket.sendall(_MAGIC + struct.pack("<I", len(text)) + text)
            for part in payload if memory is None else ():
                self._socket.sendall(part.raw())
        except (BrokenPipeError, ConnectionResetError):
            pass  # a refusal may have come before everything was sent

    def _received(self) -> Dict[str, Any]:
        magic, length = struct.unpack("<4sI", self._read(8))
        if magic != _MAGIC or not 2 <= length <= _MOST_HEADER:
            raise ValueError("what answers there is no stemzoo service")
        return _understood(lambda text: dict(json.loads(text.decode("utf-8"))), self._read(length))

    def _read(self, count: int) -> bytes:
        read = self._stream.read(count)
        if len(read) != count:
            raise OSError("the service closed the connection")
        return read

    def _receive_pixels(
        self, answer: Dict[str, Any], place: _Pixels, memory: Optional[mmap.mmap]
    ) -> None:
        if answer["dtype"] != place.dtype or tuple(answer["shape"]) != place.shape:
            raise ValueError(
                "the answer is {} of shape {}; expected {} of shape {}".format(
                    answer["dtype"], answer["shape"], place.dtype, place.shape
                )
            )
        if not answer.get("memory"):
            memory = None
        if memory is not None:
            memory.seek(0)
        count = place.itemsize * place.shape[-1]
        for address in _row_addresses(place):
            row = memoryview((ctypes.c_char * count).from_address(address)).cast("B")
            if memory is not None:
                row[:] = memory.read(count)
            elif self._stream.readinto(row) != count:
                raise OSError("the service closed the connection")

    def _results(self, pushing: _Pushing) -> Iterator[Union[LiveFrame, Tuple[int, StemzooError]]]:
        """What comes of the frames that are pushed; of one that cannot be used, id and error."""
        try:
            timeout = self._socket.gettimeout()
            self._socket.settimeout(None)  # frames come when they come
            pushing.start()
            while True:
                told = self._received()
                error = _understood(_refusal, told["error"]) if "error" in told else None
                if error and told.get("call") != "live.result":
                    raise error
                if told["call"] == "live.close":
                    pushing.statistics = dict(told["statistics"])
                    break
                if "shape" in told:
                    told["image"] = self._new_image(told, pushing.is_numpy)
                yield (told["frame"], error) if error else _understood(_live_frame, told)
            self._socket.settimeout(timeout)
        except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
            raise self._lost(error) from error

    def _new_image(self, told: Dict[str, Any], is_numpy: bool) -> Any:
        dtype, shape = told["dtype"], tuple(told["shape"])
        size = struct.calcsize(_CODES[dtype]) * _product(shape)
        if len(shape) != 2 or min(shape) < 1 or self._most is None or size > 8 * self._most:
            raise ValueError("what came is no image: {} of shape {}".format(dtype, shape))
        if is_numpy:
            made = sys.modules["numpy"].empty(shape, dtype)
        else:
            made = _shaped(bytearray(size), dtype, shape)
        self._receive_pixels(told, _Pixels(made, "image"), None)
        return made

    def _memory_for(
        self, frames: Sequence[_Pixels], place: Optional[_Pixels]
    ) -> Optional[mmap.mmap]:
        """Shared memory with room for the frames and for the answer, where that is wanted, and the
        service gives as much."""
        if not self._shared or not frames:
            return None
        images = [sum(frame.itemsize * _product(frame.shape) for frame in frames)]
        if place is not None:
            images.append(place.itemsize * _product(place.shape))
        if self._most is not None and max(images) > self._most:
            return None
        if self._memory is None or len(self._memory) < max(images):
            self._shared = False  # this call goes through the socket
            try:
                name, size = self._ask(
                    lambda answer: (str(answer["memory"]), int(answer["bytes"])),
                    "memory.open",
                    {"bytes": max(images)},
                )
            finally:
                self._shared = True
            self._forget_memory()
            self._memory = _mapped(name, size)
        return self._memory

    def _forget_memory(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _lost(self, error: Optional[BaseException]) -> StemzooError:
        """What to raise where `error` ended the connection, if `close` did not."""
        if self._closed:
            why = "the connection is closed; connect again"
        elif isinstance(error, socket.timeout) and self._timeout is not None:
            why = "no answer within {:g} s; give connect a longer timeout".format(self._timeout)
        else:
            why = "{}{}".format(error, "; connect again" * isinstance(error, OSError))
        return StemzooError("the service at {}: {}".format(self._where, why), "connection")


def _notice_silence(connection: socket.socket) -> None:
    """Has the system find out within minutes that the other computer has vanished."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        with contextlib.suppress(AttributeError, OSError):  # where the system lets that be chosen
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class _Pushing(threading.Thread):
    """Sends the frames of a source into the live stream of a connection."""

    def __init__(self, service: Service, source: Iterable[Any], stop: threading.Event) -> None:
        super().__init__(name="stemzoo-live", daemon=True)
        self.failure: Optional[BaseException] = None  # what the source raised
        self.statistics: Dict[str, Any] = {}
        self.is_numpy = False
        self.over = False
        self._service = service
        self._source = source
        self._halt = stop

    def run(self) -> None:
        try:
            for given in self._source:
                if self.over or self._halt.is_set():
                    break
                pixels = _sent(given, "frame", (2,))
                self._service._require_room([pixels])
                self.is_numpy = pixels.is_numpy
                self._service._send("live.push", {}, [pixels])
        except BaseException as error:
            self.failure = error
        with contextlib.suppress(OSError):  # of which whoever reads the results hears too
            self._service._send("live.close", {})


class ServiceTracker:
    """A tracker in the service; made by `Service.tracker`."""

    def __init__(self, service: Service, number: int) -> None:
        self._service = service
        self._number = number

    def push(self, frame: Any, time: Optional[float] = None) -> Drift:
        """As `DriftTracker.push`."""
        pixels = _sent(frame, "frame", (2,))
        arguments = {"tracker": self._number, "time": time}
        return self._service._ask(_told, "tracker.push", arguments, [pixels])

    def predict(self, time: Optional[float] = None) -> Prediction:
        """As `DriftTracker.predict`."""
        arguments = {"tracker": self._number, "time": time}
        return self._service._ask(_prediction, "tracker.predict", arguments)

    def close(self) -> None:
        try:
            self._service._call("tracker.close", {"tracker": self._number})
        except StemzooError as error:
            if error.status != "connection":  # it ended with that
                raise

    def __enter__(self) -> ServiceTracker:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def _sent(given: Any, name: str, ndim: Tuple[int, ...]) -> _Pixels:
    pixels = _Pixels(given, name, ndim)
    if pixels.mask is not None:
        raise ArgumentError("{} has a mask, and the service takes none".format(name))
    return pixels


def _sent_pair(reference: Any, moving: Any) -> List[_Pixels]:
    still, moved = _sent(reference, "reference", (2,)), _sent(moving, "moving", (2,))
    if (still.shape, still.dtype) != (moved.shape, moved.dtype):
        raise ArgumentError(
            "reference is {} of shape {} and moving {} of shape {}; expected two alike".format(
                still.dtype, still.shape, moved.dtype, moved.shape
            )
        )
    return [still, moved]


def _row_addresses(place: _Pixels) -> List[int]:
    """Where each row begins, in C order."""
    addresses = [place.address]
    for size, stride in zip(place.shape[:-1], place.strides):
        addresses = [start + k * stride for start in addresses for k in range(size)]
    return addresses


def _mapped(name: str, size: int) -> mmap.mmap:
    """The memory that a service on this computer made."""
    try:
        if sys.platform == "win32":
            _require_mapping(name)
            return mmap.mmap(-1, size, tagname=name)
        if not re.match(r"[\w.-]+$", name):
            raise ValueError("it has the name {!r:.80}".format(name))
        with open("/dev/shm/" + name, "r+b") as file:
            return mmap.mmap(file.fileno(), size)
    except (OSError, ValueError) as error:
        raise StemzooError(
            "the shared memory of the service cannot be opened ({}); it is for a service on this "
            "computer, under Linux or Windows: connect without shared_memory".format(error),
            "connection",
        ) from error


def _require_mapping(name: str) -> None:
    """OSError where Windows has no such memory, of which mmap would make another of that name."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    kernel.OpenFileMappingW.restype = ctypes.c_void_p
    handle = kernel.OpenFileMappingW(_FILE_MAP_READ, False, ctypes.c_wchar_p(name))
    if not handle:
        raise OSError("there is none of the name {!r:.80}".format(name))
    kernel.CloseHandle(ctypes.c_void_p(handle))


def _live_frame(told: Dict[str, Any]) -> LiveFrame:
    return LiveFrame(
        told["frame"],
        told.get("image"),
        None if told["drift"] is None else _told(told),
        told["reference"],
        told["dropped"],
    )


def _understood(read: Callable[[Any], _Read], told: Any) -> _Read:
    """What `read` makes of something that the service told; ValueError where that is nothing."""
    try:
        return read(told)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise ValueError(
            "its answer cannot be read ({}: {})".format(type(error).__name__, error)
        ) from error


def _refusal(error: Dict[str, Any]) -> StemzooError:
    code, message = str(error["code"]), str(error["message"])
    return ArgumentError(message, code) if code == "value" else StemzooError(message, code)


def _number(value: Optional[float], missing: float) -> float:
    """JSON has no NaN and no infinity; null stands for them."""
    return missing if value is None else float(value)


def _sigma(pair: Sequence[Optional[float]]) -> Pair:
    return _number(pair[0], math.inf), _number(pair[1], math.inf)


def _prediction(answer: Dict[str, Any]) -> Prediction:
    found = answer["prediction"]
    return Prediction(
        _number(found["dy"], math.nan), _number(found["dx"], math.nan), _sigma(found["sigma"])
    )


def _told(answer: Dict[str, Any]) -> Drift:
    found = answer["drift"]
    return Drift(
        _number(found["dy"], math.nan),
        _number(found["dx"], math.nan),
        _sigma(found["sigma"]),
        bool(found["ambiguous"]),
        _number(found["score"], math.nan),
        tuple(Candidate(*candidate) for candidate in found["candidates"]),
        str(found["reason"]),
        bool(found.get("resolved", False)),
        float(found["probability"]),
    )
