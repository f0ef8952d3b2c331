// Images chosen to break the arithmetic.
#include <algorithm>

#include "check.hpp"
#include "ncc_reference.hpp"

using namespace reference;
using stemzoo::ncc::Settings;

TEST(large_offsets_cost_nothing) {
    const Shape shape{256, 256};
    std::ptrdiff_t first_peak = -1;
    for (const double offset : {0.0, 1e2, 1e4, 1e6}) {
        auto a = noise<float>(shape, 30, offset);
        const auto b = shifted(a, -7, 4, 31);
        const Settings settings{16, 16, 0.25};
        CHECK(worst_error(a, b, settings, {}, 13) < 1e-4);
        const Surface s = correlate(a, b, settings);
        const auto peak = std::max_element(s.values.begin(), s.values.end()) - s.values.begin();
        if (first_peak < 0) first_peak = peak;
        CHECK(peak == first_peak);
    }
}

TEST(periodic_images_come_closest_to_the_error_bound) {
    const Shape shape{256, 240};
    const auto a = lattice<float>(shape, 0, 0), b = lattice<float>(shape, 3.3, -2.2);
    CHECK(worst_error(a, b, {255, 239, 1e-9}, {}, 1009) < 1e-4);
    CHECK(worst_error(a, a, {40, 40, 0.1}, {}, 101) < 1e-4);
}

TEST(units_of_measurement_do_not_matter) {
    const auto a = noise<double>({48, 48}, 32), b = shifted(a, 2, 2, 33);
    for (const double unit : {1e-140, 1e-30, 1e-12, 1e20, 1e140}) {
        auto scaled = b;
        for (double& pixel : scaled.pixels) pixel *= unit;
        CHECK(worst_error(a, scaled, {20, 20, 0.1}) < 1e-4);
        CHECK(worst_error(scaled, a, {20, 20, 0.1}) < 1e-4);
    }
}

TEST(constant_overlaps_are_no_evidence) {
    const Shape shape{28, 31};
    const Settings settings{27, 30, 1e-9};
    const auto busy = noise<float>(shape, 34);
    for (const float value : {0.0f, 1.0f, 0.1f, 1e6f}) {
        Image<float> flat(shape);
        std::fill(flat.pixels.begin(), flat.pixels.end(), value);
        for (const float r : correlate(flat, busy, settings).values) CHECK(r == 0.0f);
        for (const float r : correlate(busy, flat, settings).values) CHECK(r == 0.0f);
        // One corner that differs leaves most overlaps constant, and the others sound.
        flat.at(0, 0) = value + 1;
        flat.at(1, 2) = value + 3;
        CHECK(worst_error(flat, busy, settings) < 1e-4);
        CHECK(worst_error(busy, flat, settings) < 1e-4);
        CHECK(worst_error(flat, flat, settings) < 1e-4);
    }
}

// A flat corner's own faint texture is still correlated as it is defined to be.
TEST(faint_texture_beside_strong_contrast) {
    const Shape shape{48, 48};
    for (const double faint : {1e-2, 1e-4, 1e-7}) {
        auto a = noise<double>(shape, 35, 0, faint), b = noise<double>(shape, 36, 0, faint);
        for (std::size_t r = 0; r < 10; ++r) {
            for (std::size_t c = 0; c < 12; ++c) a.at(r, c) += 50, b.at(r, 36 + c) += 9;
        }
        CHECK(worst_error(a, b, {44, 44, 1e-3}) < 1e-4);
        CHECK(worst_error(a, a, {22, 22, 1e-3}) < 1e-4);
    }
}

TEST(hot_pixels_count_as_defined) {
    for (const float heat : {1e2f, 1e4f, 1e8f}) {
        auto a = noise<float>({44, 50}, 37), b = shifted(a, 5, 6, 38);
        a.at(1, 1) = heat;
        b.at(30, 30) = -heat;
        CHECK(worst_error(a, b, {20, 20, 0.1}) < 1e-4);
        CHECK(worst_error(b, a, {43, 49, 1e-3}, {}, 7) < 1e-4);
    }
}

TEST(whole_numbers_far_from_zero_keep_their_contrast) {
    auto a = noise<std::uint32_t>({50, 50}, 39, 4.0e9, 3);
    const auto b = shifted(a, 1, 2, 40);
    CHECK(worst_error(a, b, {10, 10, 0.1}) < 1e-4);
}
