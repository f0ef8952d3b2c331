#include "drift/bragg.hpp"

#include <algorithm>
#include <cmath>

namespace stemzoo::drift {
namespace {

constexpr std::size_t wide = 2;    // frequencies: how far the top of a tapered peak reaches
constexpr std::size_t lowest = 4;  // frequencies: a mirror image is farther than a peak's top
constexpr std::size_t most = 400;  // peaks

// A place among all frequencies, brought back into the half that a layout holds.
struct Place {
    Place(const SpectrumLayout& layout, std::size_t y, std::size_t x)
        : row(y % layout.image.rows), col(x % layout.image.cols) {
        if (row < layout.rows) return;
        row = layout.image.rows - row;
        col = (layout.image.cols - col) % layout.image.cols;
    }

    std::size_t row, col;
};

// Calls f(row, col) for the frequencies around a place. Of the layout's first row, and of the last
// of an even number, both of a pair of mirror images.
template <typename F>
void around(const SpectrumLayout& layout, std::size_t place, F f) {
    const std::size_t rows = layout.image.rows, cols = layout.image.cols,
                      top = place / cols + rows - wide, left = place % cols + cols - wide;
    for (std::size_t dy = 0; dy <= 2 * wide; ++dy) {
        for (std::size_t dx = 0; dx <= 2 * wide; ++dx) {
            const Place at(layout, top + dy, left + dx);
            f(at.row, at.col);
            if (at.row == 0 || 2 * at.row == rows) f(at.row, (cols - at.col) % cols);
        }
    }
}

// Calls f(place, height) for all that stands far above its ring.
template <typename F>
void standing(const Rings& rings, const Levels& levels, const Heights& heights, F f) {
    for (std::size_t ring = 0; ring < Rings::count; ++ring) {
        const float limit = standing_out * levels.of_ring[ring];
        const float* const height = heights.by_ring.data();
        constexpr std::size_t piece = 64;  // of which mostly none does
        for (std::size_t begin = rings.begin[ring]; begin < rings.begin[ring + 1]; begin += piece) {
            const std::size_t end = std::min(begin + piece, rings.begin[ring + 1]);
            int any = 0;
            for (std::size_t i = begin; i < end; ++i) any |= height[i] > limit;
            for (std::size_t i = begin; any != 0 && i < end; ++i) {
                if (height[i] > limit) f(rings.places[i], height[i]);
            }
        }
    }
}

}  // namespace

std::vector<std::size_t> bragg_peaks(const SpectrumLayout& layout, const Rings& rings,
                                     const Levels& levels, const Heights& heights) {
    const std::size_t cols = layout.image.cols;
    std::vector<std::size_t> peaks;
    standing(rings, levels, heights, [&](std::size_t place, float height) {
        const std::size_t row = place / cols, col = place % cols, near = std::min(col, cols - col);
        if (row * row + near * near < lowest * lowest) return;
        const bool mirrored = row == 0 || 2 * row == layout.image.rows;
        if (mirrored && 2 * col > cols) return;
        bool highest = true;
        around(layout, place, [&](std::size_t y, std::size_t x) {
            // Its own mirror image is as high, but for rounding.
            if (mirrored && y == row && x == cols - col) return;
            highest = highest && heights.value[y * cols + x] <= height;
        });
        if (highest) peaks.push_back(place);
    });
    const auto higher = [&](std::size_t a, std::size_t b) {
        return heights.value[a] > heights.value[b];
    };
    std::stable_sort(peaks.begin(), peaks.end(), higher);
    peaks.resize(std::min(peaks.size(), most));
    return peaks;
}

double fineness(const SpectrumLayout& layout, const std::vector<std::size_t>& peaks,
                const Heights& heights) {
    double power = 0, sum = 0;
    for (const std::size_t place : peaks) {
        const double height = heights.value[place],
                     y = frequency(place / heights.cols, layout.image.rows),
                     x = frequency(place % heights.cols, heights.cols);
        power += height * height;
        sum += height * height * (y * y + x * x);
    }
    return power > 0 ? std::sqrt(sum / power) : 0;
}

void clear_bragg(const SpectrumLayout& layout, const Rings& rings, const Levels& levels,
                 const Heights& heights, float* spectrum) {
    standing(rings, levels, heights, [&](std::size_t place, float) {
        around(layout, place, [&](std::size_t row, std::size_t col) {
            heights.value[row * heights.cols + col] = 0;
            layout.real(spectrum, row)[col] = layout.imaginary(spectrum, row)[col] = 0;
        });
    });
}

}  // namespace stemzoo::drift
