#include "drift/fill.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "drift/pixel_kernels.hpp"

namespace stemzoo::drift {
namespace {

// Invalid pixels become 0.
void centre_valid(const View<float>& pixels, const Flags& invalid) {
    const std::size_t rows = pixels.shape.rows, cols = pixels.shape.cols;
    double sum = 0, valid = 0;
    for (std::size_t r = 0; r < rows; ++r) {
        const RowSums found = pixel_kernels().sums(pixels.row(r), invalid.data() + r * cols, cols);
        sum += static_cast<double>(found.sum);
        valid += static_cast<double>(found.count);
    }
    const auto mean = static_cast<float>(valid > 0 ? sum / valid : 0);
    for (std::size_t r = 0; r < rows; ++r) {
        float* const row = pixels.row(r);
        pixel_kernels().centre(row, invalid.data() + r * cols, cols, mean, 1, row);
    }
}

// A lost line, and the nearest ones before and after it that are not.
struct Bridge {
    std::size_t before, line, after;
};

std::vector<Bridge> bridges(const std::vector<unsigned char>& lost) {
    std::vector<Bridge> found;
    std::size_t before = lost.size();
    for (std::size_t line = 0; line < lost.size(); ++line) {
        if (lost[line] == 0) {
            before = line;
            continue;
        }
        std::size_t after = line;
        while (after < lost.size() && lost[after] != 0) ++after;
        if (before != lost.size() && after != lost.size()) found.push_back({before, line, after});
    }
    return found;
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
    for (const Bridge& bridge : bridges(lost_rows)) {
        const float *const before = pixels.row(bridge.before), *const after =
                                                                   pixels.row(bridge.after);
        float* const line = pixels.row(bridge.line);
        for (std::size_t c = 0; c < cols; ++c) line[c] = (before[c] + after[c]) / 2;
    }
    const std::vector<Bridge> across = bridges(lost_cols);
    for (std::size_t r = 0; r < rows; ++r) {
        float* const row = pixels.row(r);
        for (const Bridge& at : across) row[at.line] = (row[at.before] + row[at.after]) / 2;
    }
}

}  // namespace stemzoo::drift
