// What the threads of a GPU do between the transforms of a correlation, and after them; the twin of
// plain.cpp. Spectra are
//   [ky][f][kx]   ky up to the padded height, kx up to half the padded width
#pragma once

#include <cmath>
#include <limits>

#include "cuda/launch.hpp"
#include "ncc/overlap_kernels.hpp"

namespace stemzoo::cuda {

template <typename T>
struct Complex {
    T re, im;
};

// The reference's side of all products: conjugated, scaled for the unscaled transforms, and turned
// so that the lag (-max_dy, -max_dx) comes to (0, 0) and the lags asked for lie together.
template <typename T>
struct TurnReference {
    Geometry geometry;
    Complex<T>* spectrum;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t rows = geometry.fft_rows, cols = geometry.fft_cols;
        // In turns: whole ones are taken away before anything is rounded.
        const double turn =
            static_cast<double>(at.y * geometry.max_dy % rows) / static_cast<double>(rows) +
            static_cast<double>(at.x * geometry.max_dx % cols) / static_cast<double>(cols);
        const double angle = -6.283185307179586476925 * turn;
        const double scale = 1 / (static_cast<double>(rows) * static_cast<double>(cols));
        const double re = std::cos(angle) * scale, im = std::sin(angle) * scale;
        Complex<T>& value = spectrum[std::size_t{at.y} * (cols / 2 + 1) + at.x];
        const double a = static_cast<double>(value.re), b = -static_cast<double>(value.im);
        value = {static_cast<T>(a * re - b * im), static_cast<T>(a * im + b * re)};
    }
};

// Of frames with the reference, in place.
template <typename T>
struct MultiplySpectra {
    std::size_t half, chunk;  // kx, frames
    const Complex<T>* reference;
    Complex<T>* frames;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const Complex<T> a = reference[std::size_t{at.z} * half + at.x];
        Complex<T>& value = frames[(std::size_t{at.z} * chunk + at.y) * half + at.x];
        const Complex<T> b = value;
        value = {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    }
};

// Lags that the transforms do not resolve, to be evaluated from the pixels: frame * lags + lag.
struct Unresolved {
    unsigned* count;
    unsigned* places;
};

template <typename T>
struct Normalise {
    Geometry geometry;
    const T* raw;  // [row of lags][f][x]
    std::size_t chunk;
    const OverlapSum* reference;
    const double* reference_energy;
    const OverlapSum* frames;
    const double* frame_energies;
    double min_pixels;
    float* surfaces;
    Unresolved unresolved;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t rows = 2 * geometry.max_dy + 1, cols = 2 * geometry.max_dx + 1;
        const std::size_t lags = rows * cols, i = std::size_t{at.y} * cols + at.x;
        const std::size_t place = at.z * lags + i;
        const std::size_t overlap_rows = geometry.image.rows - cut_at_start(at.y, geometry.max_dy) -
                                         cut_at_end(at.y, geometry.max_dy);
        const std::size_t overlap_cols = geometry.image.cols - cut_at_start(at.x, geometry.max_dx) -
                                         cut_at_end(at.x, geometry.max_dx);
        const auto n = static_cast<double>(overlap_rows * overlap_cols);
        // The moving image's overlap is that of the opposite lag.
        const OverlapSum a = reference[i], b = frames[at.z * lags + lags - 1 - i];
        const ncc::Resolution<T> resolution(*reference_energy, frame_energies[at.z]);
        const T product = raw[(at.y * chunk + at.z) * geometry.fft_cols + at.x];
        const float value = ncc::normalised(static_cast<double>(product), a, b, n, resolution);
        const bool enough = !(n < min_pixels);
        surfaces[place] = enough ? value : 0.0f;
        if (enough && std::isnan(value)) {
            unresolved.places[next_place(unresolved.count)] = static_cast<unsigned>(place);
        }
    }
};

}  // namespace stemzoo::cuda
