// The transforms of a correlation, spread over threads. Blocks are fixed by the geometry alone, so
// the result does not depend on how many threads share them.
#pragma once

#include <memory>

#include "core/array.hpp"
#include "core/scratch.hpp"
#include "ncc/overlap.hpp"
#include "ncc/scaling.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo::ncc {

// How many threads the transforms of one image gain from: a correlation is several short steps, and
// each wakes the threads anew. Frames up to 512 x 512 pixels are done sooner on one thread.
unsigned transform_threads(Shape image, unsigned threads);

// Throws std::invalid_argument, naming the image as `what`, if a pixel is not finite.
Scaling measure_scaling(const Spectral<float>& spectral, const AnyView& image, const char* what,
                        unsigned threads);

// An image transformed along its columns.
template <typename T>
struct Half {
    Scratch<T> buffer;
    ColumnSums sums;
};

template <typename T>
Half<T> half_transform(const Spectral<T>& spectral, const AnyView& image, Scaling scaling,
                       unsigned threads);

// A reference ready to be correlated with.
template <typename T>
Scratch<T> spectrum_of(const Spectral<T>& spectral, const Half<T>& half, unsigned threads);

// Sums of products over the overlap, one for each lag of the surface.
template <typename T>
Scratch<T> raw_correlation(const Spectral<T>& spectral, const Scratch<T>& reference_spectrum,
                           const Half<T>& moving, Shape surface, unsigned threads);

}  // namespace stemzoo::ncc
