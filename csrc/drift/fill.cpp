#include "drift/fill.hpp"

#include <cstddef>
#include <vector>

namespace stemzoo::drift {
namespace {

void centre_valid(const View<float>& pixels, const Flags& invalid) {
    const std::size_t count = pixels.shape.size();
    double sum = 0;
    std::size_t valid = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (invalid[i] != 0) continue;
        sum += static_cast<double>(pixels.data[i]);
        ++valid;
    }
    const double mean = valid > 0 ? sum / static_cast<double>(valid) : 0;
    for (std::size_t i = 0; i < count; ++i) {
        float& pixel = pixels.data[i];
        pixel = invalid[i] != 0 ? 0.0f : static_cast<float>(static_cast<double>(pixel) - mean);
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
    std::vector<unsigned char> lost_rows(rows, 1), lost_cols(cols, 1);
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < cols; ++c) {
            if (invalid[r * cols + c] == 0) lost_rows[r] = lost_cols[c] = 0;
        }
    }
    bridge_lines(pixels.data, lost_rows, cols, cols, 1);
    bridge_lines(pixels.data, lost_cols, 1, rows, cols);
}

}  // namespace stemzoo::drift
