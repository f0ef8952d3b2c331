#include "drift/pixel_weights.hpp"

#include <algorithm>
#include <cstring>

#include "drift/pixel_kernels.hpp"

namespace stemzoo::drift {
namespace {

// Pixels this near to one that is not valid do not count; the weight then rises to 1 over as many
// pixels as the average below is wide.
constexpr std::size_t guard = 2, rise = 3;

// Of the square that reaches `distance` from each element; beyond the edges there is nothing. Masks
// are made of lines and blocks: where the row that enters the square is like the one that leaves
// it, nothing changes.
void sum_squares(const std::uint8_t* from, Shape shape, std::size_t distance, std::uint8_t* to) {
    const std::size_t rows = shape.rows, cols = shape.cols;
    std::vector<std::uint8_t> padded(cols + 2 * distance);  // sums along columns
    std::uint8_t* const down = padded.data() + distance;
    const auto row = [&](std::size_t r) { return from + r * cols; };
    const auto add = [&](const std::uint8_t* values) {
        for (std::size_t x = 0; x < cols; ++x)
            down[x] = static_cast<std::uint8_t>(down[x] + values[x]);
    };
    const auto subtract = [&](const std::uint8_t* values) {
        for (std::size_t x = 0; x < cols; ++x)
            down[x] = static_cast<std::uint8_t>(down[x] - values[x]);
    };
    for (std::size_t r = 0; r < std::min(distance, rows); ++r) add(row(r));
    for (std::size_t r = 0; r < rows; ++r) {
        std::uint8_t* const out = to + r * cols;
        const bool enters = r + distance < rows;
        const bool leaves = r > distance;
        if (enters && leaves && std::memcmp(row(r + distance), row(r - distance - 1), cols) == 0) {
            std::copy_n(out - cols, cols, out);
            continue;
        }
        if (enters) add(row(r + distance));
        if (leaves) subtract(row(r - distance - 1));
        pixel_kernels().window_sums(padded.data(), 2 * distance + 1, cols, out);
    }
}

// One over how many pixels of a side lie within `rise` of each.
std::vector<float> shares(std::size_t side) {
    std::vector<float> found(side);
    for (std::size_t at = 0; at < side; ++at) {
        const std::size_t end = std::min(at + rise + 1, side), begin = at - std::min(at, rise);
        found[at] = 1 / static_cast<float>(end - begin);
    }
    return found;
}

}  // namespace

PixelWeights::PixelWeights(const std::uint8_t* lost, Shape shape)
    : cols_(shape.cols),
      counts_(shape.size()),
      down_(shares(shape.rows)),
      across_(shares(shape.cols)),
      any_(shape.rows) {
    const Scratch<std::uint8_t> flags(shape.size());
    sum_squares(lost, shape, guard + rise, counts_.data());  // up to 121
    std::transform(counts_.data(), counts_.data() + shape.size(), flags.data(),
                   [](std::uint8_t near) { return static_cast<std::uint8_t>(near == 0); });
    sum_squares(flags.data(), shape, rise, counts_.data());  // up to 49
    for (std::size_t r = 0; r < shape.rows; ++r) {
        const std::uint8_t* const row = counts_.data() + r * cols_;
        any_[r] = std::any_of(row, row + cols_, [](std::uint8_t count) { return count != 0; });
    }
}

float PixelWeights::at(std::size_t row, std::size_t col) const {
    return static_cast<float>(counts_[row * cols_ + col]) * (down_[row] * across_[col]);
}

void PixelWeights::multiply(std::size_t row, std::size_t first, std::size_t count,
                            float* values) const {
    pixel_kernels().weigh(counts_.data() + row * cols_ + first, across_.data() + first, down_[row],
                          count, values);
}

}  // namespace stemzoo::drift
