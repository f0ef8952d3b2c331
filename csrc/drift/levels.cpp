#include "drift/levels.hpp"

#include <algorithm>
#include <cmath>

#include "drift/kernels.hpp"

namespace stemzoo::drift {
namespace {

constexpr double noise_from = 0.4;  // cycles per pixel: only noise is left beyond

}  // namespace

Heights::Heights(const SpectrumLayout& layout, const float* spectrum, const Rings& rings)
    : Heights(layout.rows, layout.image.cols) {
    for (std::size_t ky = 0; ky < rows; ++ky) {
        kernels().heights(layout.real(spectrum, ky), layout.imaginary(spectrum, ky), cols,
                          value.data() + ky * cols);
    }
    sort(rings);
}

Heights::Heights(std::size_t row_count, std::size_t col_count)
    : rows(row_count), cols(col_count), value(rows * cols), by_ring(rows * cols) {}

void Heights::sort(const Rings& rings) {
    const float* const from = value.data();
    const std::uint32_t* const places = rings.places.data();
    float* const to = by_ring.data();
    for (std::size_t i = 0; i < rows * cols; ++i) to[i] = from[places[i]];
}

Levels::Levels(const Rings& rings, const Heights& heights) {
    double power = 0, members = 0;
    for (std::size_t ring = 0; ring < Rings::count; ++ring) {
        const std::size_t begin = rings.begin[ring], twice = rings.twice[ring],
                          end = rings.begin[ring + 1];
        const double there = rings.members(ring);
        float cap = INFINITY, level = 0;
        for (int round = 0; round <= level_rounds; ++round) {
            const auto sum = [&](std::size_t from, std::size_t to) {
                return kernels().capped_sum(heights.by_ring.data() + from, to - from, cap);
            };
            level = static_cast<float>((sum(begin, twice) + 2 * sum(twice, end)) /
                                       std::max(there, 1.0));
            cap = level_clip * level;
        }
        of_ring[ring] = std::max(level, least_level);
        if (ring <= static_cast<std::size_t>(noise_from / Rings::corner * Rings::count)) continue;
        power += there * std::pow(static_cast<double>(level), 2);
        members += there;
    }
    noise = std::max(static_cast<float>(std::sqrt(power / members)), least_level);
}

}  // namespace stemzoo::drift
