#include "drift/powers.hpp"

#include <algorithm>
#include <utility>

#include "core/kept.hpp"
#include "drift/bragg.hpp"
#include "drift/frame.hpp"
#include "drift/levels.hpp"
#include "drift/taper.hpp"

namespace stemzoo::drift {
namespace {

std::shared_ptr<const Rings> rings_for(Shape frame) {
    static Kept<Shape, Rings> kept;
    return kept.get(
        frame, [](Shape shape) { return std::make_shared<const Rings>(SpectrumLayout(shape)); });
}

}  // namespace

Powers measured(const Frame& frame) {
    const SpectrumLayout& layout = frame.fft().layout();
    const Scratch<float> pixels = faded(frame.pixels(), hann(layout.image.rows),
                                        hann(layout.image.cols)),
                         spectrum(layout.size);
    frame.fft().forward(pixels.data(), spectrum.data(), 1);
    Powers found{rings_for(layout.image), {}, {}};
    Heights heights(layout, spectrum.data(), *found.rings);
    const Levels levels(*found.rings, heights);
    const auto square = [](float height) { return height * height; };
    std::transform(levels.of_ring, levels.of_ring + Rings::count, found.lattice,
                   [&](float level) { return square(standing_out * level); });
    float* const begin = heights.by_ring.data();
    std::transform(begin, begin + heights.rows * heights.cols, begin, square);
    found.by_ring = std::move(heights.by_ring);
    return found;
}

}  // namespace stemzoo::drift
