// The vectorised inner steps of a correlation, behind an abstract class because they are compiled
// once for each instruction set.
//
// Columns are transformed before rows: vector lanes are then neighbouring pixels and load without
// a transpose, padding rows cost nothing, and only the lags asked for are ever transformed back.
//
//   image --columns--> half --rows--> spectrum (of the reference, conjugated and scaled)
//   image --columns--> half --correlate(spectrum)--> band --lags--> raw correlation surface
//
// Each step is cut into independent blocks of one vector width. What lies in the buffers between
// the steps is nobody else's business.
#pragma once

#include <cstddef>
#include <memory>

#include "core/array.hpp"
#include "ncc/geometry.hpp"

namespace stemzoo::ncc {

struct Moments {
    double sum = 0;
    double square_sum = 0;
};

// How pixels enter float32 arithmetic: (pixel - offset) * scale, computed in float64.
struct Scaling {
    double offset = 0;
    double scale = 1;
};

template <typename T>
class Spectral {
  public:
    virtual ~Spectral() = default;

    // Blocks a step, and elements of T a buffer.
    std::size_t column_blocks = 0, row_blocks = 0, lag_blocks = 0;
    std::size_t half_size = 0, spectrum_size = 0, band_size = 0, work_size = 0;

    // Also writes the sums of the scaled pixels and of their squares over each column.
    virtual void columns(const AnyView& image, Scaling scaling, std::size_t block, T* half,
                         double* column_sums, double* column_square_sums, T* work) const = 0;
    virtual void rows(const T* half, std::size_t block, T* spectrum, T* work) const = 0;
    virtual void correlate(const T* half, const T* spectrum, std::size_t block, T* band,
                           T* work) const = 0;
    // Overwrites its block of the band.
    virtual void lags(T* band, std::size_t block, T* surface, T* work) const = 0;

    // Of the unscaled pixels of some rows.
    virtual Moments moments(const AnyView& image, std::size_t row0, std::size_t row1) const = 0;
};

// From a small cache: twiddle factors cost as much as a transform. Safe to call from any thread.
template <typename T>
std::shared_ptr<const Spectral<T>> spectral_for(const Geometry& geometry);

}  // namespace stemzoo::ncc
