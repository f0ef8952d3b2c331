#include "drift/fill.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace stemzoo::drift {
namespace {

// Invalid pixels become 0.
void centre_valid(const View<float>& pixels, const Flags& invalid) {
    const std::size_t count = pixels.shape.size();
    const std::uint8_t* const flags = invalid.data();
    float* const values = pixels.data;
    constexpr std::size_t lanes = 8;  // sums, which a compiler keeps in vectors
    double sums[lanes] = {}, sum = 0;
    const auto value = [=](std::size_t i) {
        return static_cast<double>(flags[i] != 0 ? 0.0f : values[i]);
    };
    std::size_t at = 0;
    for (; at + lanes <= count; at += lanes) {
        for (std::size_t k = 0; k < lanes; ++k) sums[k] += value(at + k);
    }
    for (; at < count; ++at) sum += value(at);
    for (const double part : sums) sum += part;
    const auto valid = static_cast<double>(std::count(flags, flags + count, 0));
    const double mean = valid > 0 ? sum / valid : 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto centred = static_cast<float>(static_cast<double>(values[i]) - mean);
        values[i] = flags[i] != 0 ? 0.0f : centred;
    }
}

// `step` from one line to the next, `along` from one pixel of a line to the next.
void bridge_lines(float* pixels, const std::vector<unsigned char>& lost, std::size_t step,
                  std::size_t length, std::size_t along) {
    std::size_t before = lost.size();
    for (std::size_t line = 0; line < lost.size(); ++line) {
        if (lost[line] == 0) {
            before = line;
            continue;
        }
        std::size_t after = line;
        while (after < lost.size() && lost[after] != 0) ++after;
        if (before == lost.size() || after == lost.size()) continue;
        for (std::size_t i = 0; i < length; ++i) {
            pixels[line * step + i * along] =
                (pixels[before * step + i * along] + pixels[after * step + i * along]) / 2;
        }
    }
}

}  // namespace

void fill(const View<float>& pixels, const Flags& invalid) {
    if (invalid.empty()) return;
    centre_valid(pixels, invalid);
    const std::size_t rows = pixels.shape.rows, cols = pixels.shape.cols;
    std::vector<unsigned char> lost_rows(rows), lost_cols(cols, 1);
    for (std::size_t r = 0; r < rows; ++r) {
        const unsigned char* const flags = invalid.data() + r * cols;
        unsigned char* const lost = lost_cols.data();
        for (std::size_t c = 0; c < cols; ++c) {
            lost[c] = static_cast<unsigned char>(lost[c] & (flags[c] != 0));
        }
        lost_rows[r] = std::find(flags, flags + cols, 0) == flags + cols;
    }
    bridge_lines(pixels.data, lost_rows, cols, cols, 1);
    bridge_lines(pixels.data, lost_cols, 1, rows, cols);
}

}  // namespace stemzoo::drift
