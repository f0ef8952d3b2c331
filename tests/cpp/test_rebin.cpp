// Counts put where the beam was: none is lost, none invented, however they are cut into parts.
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "scan/rebin.hpp"

namespace {

using stemzoo::Shape;
using stemzoo::View;
using stemzoo::scan::Corner;
using stemzoo::scan::Pair;
using stemzoo::scan::Scan;

constexpr std::size_t depth = 5;
constexpr Shape recorded{14, 11};
constexpr Shape picture{40, 40};

std::vector<std::uint16_t> counts() {
    std::vector<std::uint16_t> values(recorded.size() * depth);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<std::uint16_t>((i * 7919) % 13);
    }
    return values;
}

Scan scan(double angle) {
    Scan scan{nullptr, recorded, angle, {}, {}, {}, {}};
    for (std::size_t y = 0; y < recorded.rows; ++y) {
        const auto t = static_cast<double>(y);
        scan.path.push_back({0.31 * t, std::sin(3 * t)});
    }
    return scan;
}

View<const std::uint16_t> view_of(const std::vector<std::uint16_t>& values, Corner first,
                                  Shape shape) {
    const auto across = static_cast<std::ptrdiff_t>(depth),
               down = across * static_cast<std::ptrdiff_t>(recorded.cols);
    const std::size_t at = (first.row * recorded.cols + first.col) * depth;
    return {values.data() + at, shape, down, across};
}

struct Sums {
    Shape shape = picture;
    std::vector<float> values = std::vector<float>(shape.size() * depth);

    View<float> view() {
        const auto across = static_cast<std::ptrdiff_t>(depth);
        return {values.data(), shape, across * static_cast<std::ptrdiff_t>(shape.cols), across};
    }
    double total(std::size_t e) const {
        double sum = 0;
        for (std::size_t i = e; i < values.size(); i += depth)
            sum += static_cast<double>(values[i]);
        return sum;
    }
};

}  // namespace

TEST(rebinning_conserves_the_counts_of_each_energy_at_any_angle) {
    const auto given = counts();
    for (const double angle : {0.0, 90.0, 180.0, -37.0}) {
        Sums serial, threaded;
        const auto view = view_of(given, {}, recorded);
        stemzoo::scan::rebin(view, {}, depth, scan(angle), serial.view(), {}, picture, 1);
        stemzoo::scan::rebin(view, {}, depth, scan(angle), threaded.view(), {}, picture, 3);
        CHECK(serial.values == threaded.values);
        for (std::size_t e = 0; e < depth; ++e) {
            double total = 0;
            for (std::size_t i = e; i < given.size(); i += depth) total += given[i];
            CHECK_NEAR(serial.total(e), total, 1e-6 * total);
        }
    }
}

TEST(rebinning_part_by_part_is_rebinning_at_once) {
    const auto given = counts();
    Sums whole, parts;
    stemzoo::scan::rebin(view_of(given, {}, recorded), {}, depth, scan(25), whole.view(), {},
                         picture, 1);
    for (const Corner first : {Corner{0, 0}, Corner{0, 6}, Corner{9, 0}, Corner{9, 6}}) {
        const Shape shape{first.row ? recorded.rows - 9 : 9, first.col ? recorded.cols - 6 : 6};
        stemzoo::scan::rebin(view_of(given, first, shape), first, depth, scan(25), parts.view(), {},
                             picture, 1);
    }
    for (std::size_t i = 0; i < whole.values.size(); ++i) {
        CHECK_NEAR(parts.values[i], whole.values[i], 1e-5);
    }
    Sums corner{{12, 9}};
    stemzoo::scan::rebin(view_of(given, {}, recorded), {}, depth, scan(25), corner.view(), {16, 18},
                         picture, 2);
    for (std::size_t y = 0; y < 12; ++y) {
        for (std::size_t x = 0; x < 9; ++x) {
            for (std::size_t e = 0; e < depth; ++e) {
                CHECK(corner.view().row(y)[x * depth + e] ==
                      whole.values[((16 + y) * picture.cols + 18 + x) * depth + e]);
            }
        }
    }
}

TEST(a_pixel_is_divided_by_the_area_it_covers) {
    const double value = 8;
    const Scan one{nullptr, {1, 1}, 0, {{0.25, -0.5}}, {}, {}, {}};
    std::vector<float> sums(9);
    stemzoo::scan::rebin(View<const double>{&value, {1, 1}, 1, 1}, {}, 1, one,
                         stemzoo::contiguous(sums.data(), {3, 3}), {}, {3, 3}, 1);
    CHECK(sums == (std::vector<float>{0, 0, 0, 3, 3, 0, 1, 1, 0}));
}

TEST(counts_outside_the_picture_are_left_out) {
    const auto given = counts();
    Scan away = scan(0);
    for (Pair& place : away.path) place.x += 1000;
    Sums sums;
    stemzoo::scan::rebin(view_of(given, {}, recorded), {}, depth, away, sums.view(), {}, picture,
                         2);
    for (Pair& place : away.path) place.y -= 1000;
    stemzoo::scan::rebin(view_of(given, {}, recorded), {}, depth, away, sums.view(), {}, picture,
                         2);
    CHECK(std::accumulate(sums.values.begin(), sums.values.end(), 0.0f) == 0);
}
