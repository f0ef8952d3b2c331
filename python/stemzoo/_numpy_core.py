"""Stands for the core while it is being written."""
import numpy as np
from stemzoo.look import look as _look, _taper
class DriftFrame:
    def __init__(self, pixels, valid, threads):
        self.pixels, self.valid = pixels, valid
        self.spectrum = np.fft.rfft2(pixels - pixels.mean())
def look(pixels, threads):
    h, w = (4 * (n // 4) for n in pixels.shape)
    return _look(pixels[:h, :w])
class Features:
    def __init__(self, maps, reach, valid, threads):
        self.reach = tuple(-(-r // 2) + 1 for r in reach)
        c, h, w = maps.shape
        self.sign = np.ones(c); self.sign[c//2:] = -1
        self.shape = (h + self.reach[0], w + self.reach[1])
        self.spectra = np.fft.rfft2(maps, s=self.shape)
def _centred(surface, reach):
    y, x = reach
    return np.roll(surface, (y, x), (0, 1))[: 2 * y + 1, : 2 * x + 1]
def log_odds(a, b):
    s = (a.spectra.conj() * b.spectra * a.sign[:, None, None]).sum(0)
    return _centred(np.fft.irfft2(s, s=a.shape), a.reach)
def correlation(a, b, reach):
    h, w = a.pixels.shape
    k2 = np.fft.fftfreq(h)[:, None] ** 2 + np.fft.rfftfreq(w)[None] ** 2
    return _centred(np.fft.irfft2(a.spectrum.conj() * b.spectrum * np.exp(-k2 / 0.04), s=(h, w)), reach)
def overlap_correlation(a, b, d):
    dy, dx = round(d[0]), round(d[1])
    h, w = a.pixels.shape
    p = a.pixels[max(0, -dy): h - max(0, dy), max(0, -dx): w - max(0, dx)]
    q = b.pixels[max(0, dy): h + min(0, dy), max(0, dx): w + min(0, dx)]
    return float(np.corrcoef(p.ravel(), q.ravel())[0, 1])
class R: used = False
def refine(a, b, d): return R()
