"""A stand-in for the few calls of DigitalMicrograph's Python module that the example makes, as GMS
3.6 has them: arrays are the memory of the images, and windows and images call their listeners."""

import numpy as np


class Py_ScriptObject:
    def __init__(self):
        self.registered = []

    def ImageHandleDataChangedEvent(self, image, plugin):
        self._register(image, self.HandleDataChangedEvent)

    def WindowHandleWindowClosedEvent(self, window, plugin):
        self._register(window, self.HandleWindowClosedEvent)

    def UnregisterAllListeners(self):
        for place in self.registered:
            place.listeners.clear()

    def _register(self, place, handler):
        place.listeners.append(handler)
        self.registered.append(place)


class Window:
    def __init__(self):
        self.listeners = []

    def close(self):
        for listener in list(self.listeners):
            listener(0, self)


class Image:
    def __init__(self, array):
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ValueError("no image can be made of that array")
        self.array = array.copy()
        self.name, self.window, self.listeners = "", Window(), []
        self.calibrations = {0: (0.0, 0.02, "nm"), 1: (0.0, 0.02, b"\xb5m")}
        self.updates = 0

    def GetNumArray(self):
        return self.array

    def GetName(self):
        return self.name

    def SetName(self, name):
        self.name = name

    def GetDimensionCalibration(self, axis, form):
        return self.calibrations[axis]

    def SetDimensionCalibration(self, axis, origin, scale, unit, form):
        self.calibrations[axis] = (origin, scale, unit)

    def ShowImage(self):
        shown.append(self)

    def UpdateImage(self):
        self.updates += 1
        for listener in list(self.listeners):
            listener(0, self)


class Document:
    def __init__(self, image):
        self.image = image

    def GetWindow(self):
        return self.image.window


shown = []


def CreateImage(array):
    return Image(np.asarray(array))


def GetFrontImage():
    return shown[-1]


def GetFrontImageDocument():
    return Document(shown[-1])
