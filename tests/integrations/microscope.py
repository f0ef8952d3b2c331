"""Nion's simulated microscope with a crystal in it, which drifts as it is told."""

from __future__ import annotations

import contextlib
import functools
from unittest import mock

import numpy as np
from nion.device_kit import ScanDevice
from nion.instrumentation import DriftTracker as NionDriftTracker
from nion.instrumentation.test import AcquisitionTestContext
from nion.swift import Facade
from nion.swift.model import PlugInManager
from nion.swift.test import TestContext
from nion.usim_device import DeviceConfiguration, InstrumentDevice
from nion.utils import Geometry

from stemzoo.cli.demo.phantoms import perovskite

PIXEL = 0.02  # nm
SIDE = 256  # px of a scan
CRYSTAL = 1100  # px that the crystal goes on for
HEIGHT = 5.0  # of the brightest columns; the noise of the simulator is 0.3


class CrystalGenerator(InstrumentDevice.ScanDataGenerator):
    """Scans of a crystal whose columns are not all alike, without rounding to pixels."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self._crystal = perovskite((CRYSTAL, CRYSTAL), 1, spread=0.15)

    def generate_scan_data(self, instrument, scan_frame_parameters):
        size = scan_frame_parameters.size
        field = scan_frame_parameters.fov_size_nm
        scale = field.width / size.width
        centre = np.array(scan_frame_parameters.center_nm)
        offset = np.array(instrument.value_manager.actual_offset_m) * 1e9
        # A column at p nm from the middle of the crystal is met at p + offset - centre of the scan.
        shift = (offset - centre) / scale + (np.array(size) - 1) / 2
        crystal = self._crystal
        at = [(crystal.y - CRYSTAL / 2, crystal.x - CRYSTAL / 2), crystal.weight]
        y, x = (values * PIXEL / scale + along for values, along in zip(at[0], shift, strict=True))
        inside = (np.abs(y - size[0] / 2) < size[0]) & (np.abs(x - size[1] / 2) < size[1])
        seen = type(crystal)(
            y[inside], x[inside], crystal.weight[inside], crystal.sigma * PIXEL / scale, 0.06
        )
        noise = 0.3 * np.random.default_rng().standard_normal(tuple(size))
        return (HEIGHT * seen.image(tuple(size)) + noise).astype(np.float32)


class Microscope:
    """The simulator, running, with the plug-in loaded."""

    def __init__(self, context):
        self.context = context
        self.document_controller = context.document_controller
        self.document_model = context.document_model
        self.scan = context.scan_hardware_source
        self.instrument = context.instrument

    def place(self, dy, dx):
        """Moves the specimen so that features are (dy, dx) px from where they were at first."""
        metres = Geometry.FloatPoint(y=dy * PIXEL * 1e-9, x=dx * PIXEL * 1e-9)
        self.instrument.value_manager.stage_position_m = metres

    @property
    def parameters(self):
        return ScanDevice.ScanFrameParameters(
            pixel_size=(SIDE, SIDE), pixel_time_us=0.5, fov_nm=SIDE * PIXEL
        )

    def residual(self, xdata):
        """How far features are, in that frame, from where they were at first: (dy, dx), px."""
        scan = xdata.metadata["scan"]
        centre = np.array([scan["center_y_nm"], scan["center_x_nm"]])
        offset = np.array(self.instrument.value_manager.actual_offset_m) * 1e9
        return (offset - centre) / PIXEL


@contextlib.contextmanager
def microscope(folder):
    """In a folder to which the simulator writes its settings."""
    application = TestContext.TestSetup(set_global=False)  # must live as long as the microscope
    with contextlib.chdir(folder):
        with mock.patch.object(InstrumentDevice, "ScanDataGenerator", CrystalGenerator):
            configuration = DeviceConfiguration.AcquisitionContextConfiguration()
        load_plug_in()
        with AcquisitionTestContext.test_context(configuration) as context:
            yield Microscope(context)
    del application


@functools.cache
def load_plug_in():
    """As Nion Swift does it when it starts, and once, for it has no way to forget menu items."""
    Facade.initialize()
    module = PlugInManager.load_plug_in("nionswift_plugin", "nionswift_plugin.stemzoo")
    assert module is not None
    module.run()
    return module


def nion_tracker():
    return NionDriftTracker.DriftTracker()
