"""A plain client of the frame service, written from docs/serve.md alone."""

import json
import socket
import struct

import numpy as np


class Client:
    def __init__(self, address, token=None):
        self.socket = socket.create_connection(address, timeout=20)
        self.stream = self.socket.makefile("rb")
        self.token = token
        self.last = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, call, frame=None, **arguments):
        self.last += 1
        header = {"version": 1, "id": self.last, "call": call, **arguments}
        if self.token:
            header["token"] = self.token
        payload = b""
        if frame is not None:
            header |= {"dtype": frame.dtype.name, "shape": list(frame.shape)}
            payload = np.ascontiguousarray(frame, frame.dtype.newbyteorder("<")).tobytes()
        self.socket.sendall(message(header) + payload)
        return self.last

    def receive(self):
        """The header and the pixels of the next answer; None where the server has closed."""
        head = self.stream.read(8)
        if not head:
            return None
        magic, length = struct.unpack("<4sI", head)
        assert magic == b"STZ1"
        header = json.loads(self.stream.read(length))
        if "shape" not in header or header.get("memory"):
            return header, None
        dtype = np.dtype(header["dtype"]).newbyteorder("<")
        count = int(np.prod(header["shape"]))
        pixels = np.frombuffer(self.stream.read(count * dtype.itemsize), dtype)
        return header, pixels.reshape(header["shape"])

    def call(self, call, frame=None, **arguments):
        identity = self.send(call, frame, **arguments)
        header, pixels = self.receive()
        assert header["version"] == 1
        assert header["id"] == identity
        return header, pixels

    def refused(self, *given, **arguments):
        """The error of a call."""
        return self.call(*given, **arguments)[0]["error"]


def message(header):
    text = json.dumps(header).encode()
    return b"STZ1" + struct.pack("<I", len(text)) + text
