#include "drift/rings.hpp"

#include <algorithm>
#include <cmath>

namespace stemzoo::drift {

double frequency(std::size_t i, std::size_t n) {
    const double k = static_cast<double>(i) / static_cast<double>(n);
    return 2 * i < n ? k : k - 1;
}

Rings::Rings(const SpectrumLayout& layout) {
    const std::size_t cols = layout.image.cols;
    std::vector<double> kx2(cols);
    for (std::size_t x = 0; x < cols; ++x) kx2[x] = std::pow(frequency(x, cols), 2);
    std::vector<std::uint32_t> once[count], others[count];
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        auto* const sets = ky == 0 || 2 * ky == layout.image.rows ? once : others;
        const double ky2 = std::pow(frequency(ky, layout.image.rows), 2);
        for (std::size_t x = 0; x < cols; ++x) {
            const auto ring = static_cast<std::size_t>(std::sqrt(ky2 + kx2[x]) / corner *
                                                       static_cast<double>(count));
            sets[std::min(ring, count - 1)].push_back(static_cast<std::uint32_t>(ky * cols + x));
        }
    }
    places.reserve(layout.rows * cols);
    for (std::size_t ring = 0; ring < count; ++ring) {
        places.insert(places.end(), once[ring].begin(), once[ring].end());
        twice[ring] = places.size();
        places.insert(places.end(), others[ring].begin(), others[ring].end());
        begin[ring + 1] = places.size();
    }
}

double Rings::members(std::size_t ring) const {
    const std::size_t once = twice[ring] - begin[ring], others = begin[ring + 1] - twice[ring];
    return static_cast<double>(once + 2 * others);
}

}  // namespace stemzoo::drift
