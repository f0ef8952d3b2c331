// The power spectrum of the noise in the residual of a clean estimate.
#pragma once

#include <array>
#include <cstddef>

#include "core/array.hpp"

namespace stemzoo::survey {

struct NoiseSpectrum {
    static constexpr std::size_t grid = 64;  // frequencies along an axis

    NoiseSpectrum() { power.fill(1); }

    // In the order of numpy.fft.fftfreq along both axes; the mean is 1.
    std::array<double, grid * grid> power;
    // The power of the residual over that of such noise: less than 1 where the clean estimate has
    // kept noise, more where the residual holds structure.
    double share = 1;
};

// Medians over blocks of frequencies leave the Bragg peaks out that a denoiser missed. Frequencies
// count as far as the residual has all the power of the frame: there, the denoiser has removed all
// noise, and there is no structure. The logarithm is a polynomial in the cosines of both
// frequencies, which extrapolates it to the others; a penalty keeps it flat where little counts.
//
// `spectrum::NoiseColour` of the residual alone cannot tell where the clean estimate has kept
// noise: where a result keeps a quarter of it, its share comes out as one.
//
// Both images are contiguous. Those with a side below `grid` have a flat spectrum.
NoiseSpectrum noise_spectrum(const float* residual, const float* frame, Shape shape,
                             unsigned threads);

}  // namespace stemzoo::survey
