#include "drift/pixel_weights.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace stemzoo::drift {
namespace {

// Pixels this near to one that is not valid do not count; the weight then rises to 1 over as many
// pixels as the average below is wide.
constexpr std::size_t guard = 2, rise = 3;

using Bytes = Scratch<std::uint8_t>;

// Joins to `none` all pixels in the square that reaches `distance` from each. Masks are made of
// lines and blocks: where a row repeats what another was made of, so does the result.
template <typename Join>
void in_squares(std::uint8_t* image, Shape shape, std::size_t distance, std::uint8_t none,
                Join join) {
    const std::size_t rows = shape.rows, cols = shape.cols;
    const Bytes lines(shape.size());
    std::vector<std::uint8_t> padded(cols + 2 * distance, none);
    const auto add = [&](const std::uint8_t* from, std::uint8_t* to) {
        for (std::size_t x = 0; x < cols; ++x) to[x] = join(to[x], from[x]);
    };
    const auto alike = [cols](const std::uint8_t* a, const std::uint8_t* b) {
        return std::memcmp(a, b, cols) == 0;
    };
    for (std::size_t r = 0; r < rows; ++r) {
        const std::uint8_t* const from = image + r * cols;
        std::uint8_t* const out = lines.data() + r * cols;
        if (r > 0 && alike(from, from - cols)) {
            std::copy_n(out - cols, cols, out);
            continue;
        }
        std::copy_n(from, cols, padded.data() + distance);
        std::fill_n(out, cols, none);
        for (std::size_t i = 0; i <= 2 * distance; ++i) add(padded.data() + i, out);
    }
    for (std::size_t r = 0; r < rows; ++r) {
        std::uint8_t* const out = image + r * cols;
        const bool inside = r > distance && r + distance < rows;
        if (inside &&
            alike(lines.data() + (r + distance) * cols, lines.data() + (r - distance - 1) * cols)) {
            std::copy_n(out - cols, cols, out);
            continue;
        }
        std::fill_n(out, cols, none);
        const std::size_t end = std::min(r + distance + 1, rows);
        for (std::size_t i = r - std::min(r, distance); i < end; ++i) {
            add(lines.data() + i * cols, out);
        }
    }
}

// How many pixels of a side lie within `rise` of one of them.
float within(std::size_t at, std::size_t side) {
    return static_cast<float>(std::min(at + rise + 1, side) - (at - std::min(at, rise)));
}

}  // namespace

Scratch<float> pixel_weights(const std::uint8_t* lost, Shape shape) {
    const Bytes flags(shape.size());
    std::transform(lost, lost + shape.size(), flags.data(),
                   [](std::uint8_t flag) { return static_cast<std::uint8_t>(flag ^ 1); });
    const auto both = [](int a, int b) { return static_cast<std::uint8_t>(a & b); };
    const auto sum = [](int a, int b) { return static_cast<std::uint8_t>(a + b); };
    in_squares(flags.data(), shape, guard + rise, 1, both);
    in_squares(flags.data(), shape, rise, 0, sum);  // up to 49
    Scratch<float> weights(shape.size());
    std::vector<float> across(shape.cols);
    for (std::size_t c = 0; c < shape.cols; ++c) across[c] = 1 / within(c, shape.cols);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        const float down = 1 / within(r, shape.rows);
        const std::uint8_t* const from = flags.data() + r * shape.cols;
        float* const to = weights.data() + r * shape.cols;
        for (std::size_t c = 0; c < shape.cols; ++c) {
            to[c] = static_cast<float>(from[c]) * (down * across[c]);
        }
    }
    return weights;
}

}  // namespace stemzoo::drift
