#include "drift/powers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/kept.hpp"
#include "drift/bragg.hpp"
#include "drift/frame.hpp"
#include "drift/kernels.hpp"
#include "drift/levels.hpp"

namespace stemzoo::drift {
namespace {

std::shared_ptr<const Rings> rings_for(Shape frame) {
    static Kept<Shape, Rings> kept;
    return kept.get(
        frame, [](Shape shape) { return std::make_shared<const Rings>(SpectrumLayout(shape)); });
}

// What turns the neighbours of a frequency: the window's middle lies half a pixel from a pixel.
struct Turn {
    explicit Turn(std::size_t side) {
        constexpr double pi = 3.14159265358979323846;
        const double angle = pi / static_cast<double>(side);
        re = static_cast<float>(std::cos(angle));
        im = static_cast<float>(std::sin(angle));
    }

    float re, im;
};

// The heights of a spectrum as if its pixels faded out towards the frame's edges by a Hann window.
// That is three frequencies along either axis, so no other transform is needed.
class WindowedHeights {
  public:
    WindowedHeights(const SpectrumLayout& layout, const float* spectrum)
        : layout_(layout), spectrum_(spectrum), along_(layout.image.cols) {
        for (std::vector<float>& line : lines_) line.resize(2 * layout.pitch);
        mirror_.resize(2 * layout.pitch);
    }

    void write(float* heights) {
        const std::size_t rows = layout_.rows, cols = layout_.image.cols;
        const Turn down(layout_.image.rows);
        fill(0);
        fill(1);
        for (std::size_t ky = 0; ky < rows; ++ky) {
            if (ky > 0 && ky + 1 < rows) fill(ky + 1);
            const float *before = line(ky + 2), *after = line(ky + 1);
            // Rows beyond either end are mirror images of rows within.
            if (ky == 0) before = mirrored(1);
            if (ky + 1 == rows) after = mirrored(layout_.image.rows - (ky + 1));
            kernels().hann_heights(before, line(ky), after, layout_.pitch, cols, down.re, down.im,
                                   heights + ky * cols);
        }
    }

  private:
    // Of the last three rows.
    float* line(std::size_t ky) { return lines_[ky % 3].data(); }

    void fill(std::size_t ky) {
        kernels().hann_along(layout_.real(spectrum_, ky), layout_.imaginary(spectrum_, ky),
                             layout_.image.cols, along_.re, along_.im, line(ky),
                             line(ky) + layout_.pitch);
    }

    const float* mirrored(std::size_t ky) {
        const std::size_t cols = layout_.image.cols, pitch = layout_.pitch;
        const float* const from = line(ky);
        for (std::size_t x = 0; x < cols; ++x) {
            mirror_[x] = from[(cols - x) % cols];
            mirror_[pitch + x] = -from[pitch + (cols - x) % cols];
        }
        return mirror_.data();
    }

    const SpectrumLayout& layout_;
    const float* spectrum_;
    Turn along_;
    std::vector<float> lines_[3], mirror_;
};

double sum(const float* values, std::size_t count) {
    return kernels().capped_sum(values, count, INFINITY);
}

}  // namespace

Powers measured(const Frame& frame) {
    const SpectrumLayout& layout = frame.fft().layout();
    Powers found{rings_for(layout.image), {}, 0, {}};
    const Rings& rings = *found.rings;
    Heights heights(layout.rows, layout.image.cols);
    WindowedHeights(layout, frame.spectrum()).write(heights.value.data());
    heights.sort(rings);
    const Levels levels(rings, heights);
    const auto square = [](float height) { return height * height; };
    std::transform(levels.of_ring, levels.of_ring + Rings::count, found.lattice,
                   [&](float level) { return square(standing_out * level); });
    float* const begin = heights.by_ring.data();
    std::transform(begin, begin + heights.rows * heights.cols, begin, square);
    found.by_ring = std::move(heights.by_ring);
    for (std::size_t ring = 0; ring < Rings::count; ++ring) {
        const std::size_t once = rings.begin[ring], twice = rings.twice[ring];
        found.total +=
            sum(begin + once, twice - once) + 2 * sum(begin + twice, rings.begin[ring + 1] - twice);
    }
    return found;
}

}  // namespace stemzoo::drift
