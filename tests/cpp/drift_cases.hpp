// Frames that drift: of an emulated GPU, and of one that is there.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/array.hpp"
#include "ncc_reference.hpp"

namespace drift_cases {

using stemzoo::Shape;

enum class Scene { particles, lattice, edge };

// Counts of a scene, moved by (dy, dx), at a mean of some twenty.
inline std::vector<float> frame(Shape shape, Scene scene, double dy, double dx, unsigned seed) {
    const auto noise = reference::noise<float>(shape, seed, 0, 1).pixels;
    const auto blobs = reference::noise<float>({40, 4}, 99, 0, 1).pixels;
    std::vector<float> pixels(shape.size());
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double y = static_cast<double>(r) - dy, x = static_cast<double>(c) - dx;
            double light = 4;
            if (scene == Scene::lattice) {
                light += 12 * (2 + std::cos(y * 0.72) + std::cos(x * 0.66));
            }
            if (scene == Scene::edge) light += 30 / (1 + std::exp((x + 0.4 * y - 60) / 6));
            for (std::size_t i = 0; scene != Scene::edge && i < 40; ++i) {
                const double height = static_cast<double>(shape.rows) / 2,
                             width = static_cast<double>(shape.cols) / 2;
                const double off_y = y - height * (1 + 0.6 * static_cast<double>(blobs[4 * i])),
                             off_x = x - width * (1 + 0.6 * static_cast<double>(blobs[4 * i + 1]));
                light += 25 * std::exp(-(off_y * off_y + off_x * off_x) / 9);
            }
            pixels[r * shape.cols + c] = static_cast<float>(
                light + std::sqrt(light) * static_cast<double>(noise[r * shape.cols + c]));
        }
    }
    return pixels;
}

// The first is the reference.
inline std::vector<float> series(Shape shape, Scene scene, std::size_t count) {
    std::vector<float> pixels;
    for (std::size_t i = 0; i < count; ++i) {
        const auto step = static_cast<double>(i);
        const auto next = frame(shape, scene, 1.3 * step, -0.9 * step, static_cast<unsigned>(i));
        pixels.insert(pixels.end(), next.begin(), next.end());
    }
    return pixels;
}

}  // namespace drift_cases
