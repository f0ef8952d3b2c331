// Log-odds beside their definition: sums of products over each overlap.
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "drift/features.hpp"
#include "ncc_reference.hpp"

using stemzoo::Shape;
using stemzoo::drift::Features;

namespace {

// `count` maps below one another.
reference::Image<float> maps(std::size_t count, Shape shape, unsigned seed) {
    return reference::noise<float>({count * shape.rows, shape.cols}, seed);
}

Features features(const reference::Image<float>& m, std::size_t count, Shape reach) {
    return {m.pixels.data(), count, {m.shape.rows / count, m.shape.cols}, reach, 1};
}

double direct(const reference::Image<float>& a, const reference::Image<float>& b, std::size_t count,
              std::ptrdiff_t dy, std::ptrdiff_t dx) {
    const std::size_t rows = a.shape.rows / count;
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t r = 0; r < rows; ++r) {
            for (std::size_t c = 0; c < a.shape.cols; ++c) {
                const auto y = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(r) + dy);
                const auto x = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(c) + dx);
                if (y >= rows || x >= a.shape.cols) continue;  // below zero is very large
                const double product = static_cast<double>(a.at(k * rows + r, c)) *
                                       static_cast<double>(b.at(k * rows + y, x));
                sum += 2 * k < count ? product : -product;
            }
        }
    }
    return sum;
}

}  // namespace

TEST(log_odds_are_sums_over_overlaps) {
    for (const Shape shape : {Shape{12, 9}, Shape{7, 20}}) {
        for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{4}}) {
            const auto a = maps(count, shape, 1), b = maps(count, shape, 2);
            const Features fa = features(a, count, {5, 4}), fb = features(b, count, {5, 4});
            CHECK((fa.surface_shape() == Shape{11, 9}));
            std::vector<float> surface(fa.surface_shape().size());
            fa.log_odds(fb, surface.data(), 2);
            for (std::ptrdiff_t dy = -5; dy <= 5; ++dy) {
                for (std::ptrdiff_t dx = -4; dx <= 4; ++dx) {
                    const auto at = static_cast<std::size_t>((dy + 5) * 9 + dx + 4);
                    CHECK_NEAR(surface[at], direct(a, b, count, dy, dx), 1e-4);
                }
            }
        }
    }
}

TEST(no_lag_is_longer_than_the_maps) {
    const auto a = maps(2, {6, 8}, 3);
    CHECK((features(a, 2, {100, 7}).surface_shape() == Shape{11, 15}));
}

TEST(features_that_do_not_fit_are_refused) {
    using Error = std::invalid_argument;
    const auto a = maps(2, {6, 8}, 3), b = maps(2, {6, 9}, 3);
    CHECK_THROWS(features(maps(3, {6, 8}, 1), 3, {2, 2}), Error, "there are 3 features");
    CHECK_THROWS(features(maps(5, {6, 8}, 1), 5, {2, 2}), Error, "there are 5 features");
    std::vector<float> surface(25);
    CHECK_THROWS(features(a, 2, {2, 2}).log_odds(features(b, 2, {2, 2}), surface.data(), 1), Error,
                 "differ in size, number or reach");
    CHECK_THROWS(features(a, 2, {2, 2}).log_odds(features(a, 2, {3, 2}), surface.data(), 1), Error,
                 "differ in size, number or reach");
}
