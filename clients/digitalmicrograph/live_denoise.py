"""Denoises the live view of DigitalMicrograph, frame by frame, in a window beside it.

1. Unzip the stemzoo-client wheel into FOLDER. Nothing is installed into DigitalMicrograph's Python,
   and its NumPy is not touched.
2. Start the view, click on it, open this script and execute it.

It ends when either window is closed, or with a sentence in the output window where a frame cannot
be used. For GMS 3.5.2 and later.
"""

import sys

import DigitalMicrograph as DM

FOLDER = r"C:\stemzoo"
MODEL = "denoise-live"

sys.path.insert(0, FOLDER)
import stemzoo_client as stemzoo  # noqa: E402


class LiveDenoise(DM.Py_ScriptObject):
    """Listens to one image, and shows it denoised in another."""

    def __init__(self, source, model):
        DM.Py_ScriptObject.__init__(self)
        self.source = source
        self.model = model
        self.last_row = b""
        self.result = DM.CreateImage(model.run(source.GetNumArray()))
        self.result.SetName(source.GetName() + " denoised")
        for axis in (0, 1):
            origin, scale, unit = source.GetDimensionCalibration(axis, 0)
            unit = "um" if isinstance(unit, bytes) else unit  # a micro sign comes as bytes
            self.result.SetDimensionCalibration(axis, origin, scale, unit, 0)
        self.result.ShowImage()

    def HandleDataChangedEvent(self, flags, image):
        """Called by DigitalMicrograph whenever the view has changed, in a scan many times a frame:
        the last row tells when one is complete."""
        frame = self.source.GetNumArray()
        previous, self.last_row = self.last_row, frame[-1].tobytes()
        if self.last_row == previous:
            return
        try:
            # The arrays are the memory of the images: the result is written where it is shown.
            self.model.run(frame, out=self.result.GetNumArray())
        except (stemzoo.StemzooError, ValueError) as error:
            self.stop(str(error))
        else:
            self.result.UpdateImage()

    def HandleWindowClosedEvent(self, flags, window):
        self.stop("a window was closed")

    def stop(self, why):
        print("Live denoising ended: " + why)
        self.UnregisterAllListeners()
        self.model.close()
        self.source = self.result = None  # else DigitalMicrograph keeps their memory


view = DM.GetFrontImage()
window = DM.GetFrontImageDocument().GetWindow()
live = LiveDenoise(view, stemzoo.Model(MODEL))
shown = DM.GetFrontImageDocument().GetWindow()
live.WindowHandleWindowClosedEvent(window, "pythonplugin")
live.WindowHandleWindowClosedEvent(shown, "pythonplugin")
live.ImageHandleDataChangedEvent(view, "pythonplugin")
del view, window, shown
