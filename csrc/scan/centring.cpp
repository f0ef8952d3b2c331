#include "scan/centring.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <variant>
#include <vector>

namespace stemzoo::scan {
namespace {

constexpr std::size_t some = 64;  // rows and columns that are looked at, or twice them

}  // namespace

double typical(const AnyView& image) {
    std::vector<double> known;
    std::visit(
        [&](const auto& view) {
            const Shape shape = view.shape;
            for (std::size_t row = 0; row < shape.rows; row += 1 + shape.rows / some) {
                for (std::size_t col = 0; col < shape.cols; col += 1 + shape.cols / some) {
                    const auto pixel = static_cast<double>(view.at(row, col));
                    if (std::isfinite(pixel)) known.push_back(pixel);
                }
            }
        },
        image);
    if (known.empty()) return 0;
    const auto middle = known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2);
    std::nth_element(known.begin(), middle, known.end());
    if (known.size() % 2 == 1) return *middle;
    return (*std::max_element(known.begin(), middle) + *middle) / 2;
}

void centre(const AnyView& image, double offset, float* out) {
    std::visit(
        [&](const auto& view) {
            for (std::size_t row = 0; row < view.shape.rows; ++row) {
                for (std::size_t col = 0; col < view.shape.cols; ++col) {
                    const auto pixel = static_cast<double>(view.at(row, col));
                    *out++ = static_cast<float>(pixel - offset);
                }
            }
        },
        image);
}

}  // namespace stemzoo::scan
