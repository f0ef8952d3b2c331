#include "scan/rebin.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include "core/parallel.hpp"
#include "scan/lines.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::size_t worth_a_thread = 1 << 16;  // additions

template <typename T>
void add_scaled(const T* from, float weight, std::size_t depth, float* to) {
    for (std::size_t e = 0; e < depth; ++e) to[e] += weight * static_cast<float>(from[e]);
}

// Rows [first, second) of the picture that any of the counts reaches.
std::pair<double, double> reached(const Scan& scan, const Placement& placement, Shape block,
                                  Corner first) {
    const double step = placement.step().y;
    double low = 0, high = 0;
    for (std::size_t r = 0; r < block.rows; ++r) {
        const double start = start_of(scan, placement, first.row + r).y;
        const double one = start + step * static_cast<double>(first.col),
                     other = start + step * static_cast<double>(first.col + block.cols - 1);
        low = r == 0 ? std::min(one, other) : std::min({low, one, other});
        high = r == 0 ? std::max(one, other) : std::max({high, one, other});
    }
    return {std::floor(low), std::floor(high) + 2};
}

// The share of rows [begin, end) of the picture in the counts.
template <typename T>
void rebin_rows(const View<const T>& counts, Corner first, std::size_t depth, const Scan& scan,
                const View<float>& sums, Corner corner, Shape picture, std::size_t begin,
                std::size_t end) {
    const Placement placement(scan, picture);
    const Pair step = placement.step();
    const double low = static_cast<double>(begin) - 1, high = static_cast<double>(end);
    const auto left_edge = static_cast<std::ptrdiff_t>(corner.col),
               right_edge = left_edge + static_cast<std::ptrdiff_t>(sums.shape.cols);
    for (std::size_t r = 0; r < counts.shape.rows; ++r) {
        const Pair start = start_of(scan, placement, first.row + r);
        const auto range = inside(start.y, step.y, low, high, first.col + counts.shape.cols);
        for (std::size_t c = std::max(range.first, first.col); c < range.second; ++c) {
            const double y = start.y + static_cast<double>(c) * step.y,
                         x = start.x + static_cast<double>(c) * step.x;
            if (!(y >= low && y < high)) continue;
            const double top = std::floor(y), left = std::floor(x);
            const double fy = y - top, fx = x - left;
            const T* const from = &counts.at(r, c - first.col);
            for (int j = 0; j < 2; ++j) {
                const auto py = static_cast<std::ptrdiff_t>(top) + j;
                if (py < static_cast<std::ptrdiff_t>(begin) ||
                    py >= static_cast<std::ptrdiff_t>(end))
                    continue;
                for (int i = 0; i < 2; ++i) {
                    const auto px = static_cast<std::ptrdiff_t>(left) + i;
                    const double area = (j == 0 ? 1 - fy : fy) * (i == 0 ? 1 - fx : fx);
                    if (px < left_edge || px >= right_edge || area == 0) continue;
                    float* const to = &sums.at(static_cast<std::size_t>(py) - corner.row,
                                               static_cast<std::size_t>(px - left_edge));
                    add_scaled(from, static_cast<float>(area), depth, to);
                }
            }
        }
    }
}

}  // namespace

void rebin(const AnyView& counts, Corner first, std::size_t depth, const Scan& scan,
           View<float> sums, Corner corner, Shape picture, unsigned threads) {
    const Shape block = shape_of(counts);
    if (block.size() == 0 || depth == 0 || sums.shape.size() == 0) return;
    const auto rows = reached(scan, Placement(scan, picture), block, first);
    const auto top = static_cast<double>(corner.row),
               bottom = top + static_cast<double>(sums.shape.rows);
    const auto begin = static_cast<std::size_t>(std::clamp(rows.first, top, bottom)),
               end = static_cast<std::size_t>(std::clamp(rows.second, top, bottom));
    // Each thread owns some rows of the picture and takes the counts that reach them.
    const std::size_t a_row =
        4 * depth * std::max<std::size_t>(block.size() / (end - begin + 1), 1);
    const std::size_t grain = std::max<std::size_t>(worth_a_thread / a_row, 1);
    parallel_for(end - begin, threads, grain, [&](std::size_t from, std::size_t to) {
        std::visit(
            [&](const auto& view) {
                rebin_rows(view, first, depth, scan, sums, corner, picture, begin + from,
                           begin + to);
            },
            counts);
    });
}

}  // namespace stemzoo::scan
