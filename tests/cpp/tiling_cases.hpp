// Sizes that tiling must get right, and the two passes over a whole image.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tiling/tiling.hpp"
#if defined(STEMZOO_TEST_CUDA)
#include "cuda_backend.hpp"
#endif

namespace tiling_cases {

using namespace stemzoo;

using Floats = std::vector<float>;
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr Weights kAllWeights[] = {Weights::flat, Weights::triangular, Weights::hann,
                                          Weights::crop};

inline Floats random_pixels(std::size_t count) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    Floats pixels(count);
    for (float& pixel : pixels) pixel = uniform(random);
    return pixels;
}

inline AnyView view_of(const Floats& pixels, Shape shape) {
    return contiguous(pixels.data(), shape);
}

inline Floats split_all(const Tiling& tiling, const Floats& image, unsigned threads = 1) {
    Floats batch(tiling.windows() * tiling.tile().size(), kNaN);
    const AnyView view = view_of(image, tiling.image());
#if defined(STEMZOO_TEST_CUDA)
    (void)threads;
    cuda_backend::tiles(tiling)->split(cuda::frames_of(view), 0, 1, nullptr, 0, tiling.windows(),
                                       batch.data(), nullptr);
#else
    tiling.split(view, 0, 1, 0, tiling.windows(), batch.data(), threads);
#endif
    return batch;
}

inline Floats blend_all(const Tiling& tiling, const Floats& batch, double gain = 1, float fill = 0,
                        unsigned threads = 1) {
    Floats out(tiling.image().size(), fill);
    const View<float> view = contiguous(out.data(), tiling.image());
#if defined(STEMZOO_TEST_CUDA)
    (void)threads;
    cuda_backend::tiles(tiling)->blend(batch.data(), 0, tiling.windows(), gain, nullptr, view,
                                       nullptr);
#else
    tiling.blend(batch.data(), 0, tiling.windows(), gain, view, threads);
#endif
    return out;
}

inline double largest_difference(const Floats& a, const Floats& b) {
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        if (!(difference <= largest)) largest = difference;  // keeps NaN
    }
    return largest;
}

struct Case {
    Shape image, tile, step, multiple;
};

inline const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {{1, 1}, {1, 1}, {1, 1}, {1, 1}},         {{1, 1}, {8, 5}, {3, 5}, {1, 1}},
        {{1, 40}, {4, 9}, {2, 4}, {1, 1}},        {{3, 2}, {16, 16}, {8, 8}, {4, 8}},
        {{31, 37}, {7, 5}, {3, 2}, {1, 1}},       {{31, 37}, {7, 5}, {7, 5}, {1, 1}},
        {{31, 37}, {7, 5}, {1, 1}, {1, 1}},       {{64, 64}, {16, 16}, {8, 8}, {1, 1}},
        {{61, 67}, {16, 24}, {12, 16}, {4, 8}},   {{97, 101}, {97, 101}, {50, 101}, {1, 1}},
        {{97, 101}, {96, 100}, {95, 3}, {1, 1}},  {{60, 50}, {28, 28}, {2, 3}, {1, 1}},
        {{65, 33}, {32, 32}, {32, 32}, {32, 32}}, {{100, 9}, {33, 4}, {17, 3}, {1, 1}},
    };
    return all;
}

// Of numbers up to one: a few roundings of the weights, and half a unit in the last place for each
// window added to a pixel. Flat weights come close to it, as all their roundings go the same way.
inline double rounding(const Case& c) {
    const std::size_t rows = std::min(c.tile.rows, c.image.rows) / c.step.rows + 2;
    const std::size_t cols = std::min(c.tile.cols, c.image.cols) / c.step.cols + 2;
    return 4e-7 + 3e-8 * static_cast<double>(rows * cols);
}

}  // namespace tiling_cases
