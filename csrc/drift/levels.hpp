// How high a spectrum stands, and how high the noise and the slow trends in it do.
#pragma once

#include <cstddef>

#include "core/fft2d.hpp"
#include "core/scratch.hpp"
#include "drift/rings.hpp"

namespace stemzoo::drift {

// The level of a ring is its mean magnitude with higher ones clipped at `level_clip` times the
// level, found in rounds; the first clips nothing.
constexpr float level_clip = 2, least_level = 1e-30f;
constexpr int level_rounds = 6;

// A spectrum's magnitudes: of the frequencies its layout holds, row by row, and ring by ring.
struct Heights {
    Heights(const SpectrumLayout& layout, const float* spectrum, const Rings& rings);
    // To be filled: all values, and then those ring by ring.
    Heights(std::size_t rows, std::size_t cols);
    void sort(const Rings& rings);

    std::size_t rows, cols;
    Scratch<float> value, by_ring;
};

struct Levels {
    Levels(const Rings& rings, const Heights& heights);

    float of_ring[Rings::count];  // the mean height, of what is not far above it
    float noise;                  // the level of the highest frequencies
};

}  // namespace stemzoo::drift
