// What chance makes of the correlation of two frames.
#include <cmath>
#include <limits>
#include <stdexcept>

#include "check.hpp"
#include "drift/chance.hpp"
#include "drift/peaks.hpp"
#include "ncc_reference.hpp"

using stemzoo::AnyView;
using stemzoo::Shape;
using stemzoo::drift::chance;
using stemzoo::drift::Frame;
using stemzoo::drift::overlap_correlation;

namespace {

Frame frame(const reference::Image<float>& image) {
    return Frame(AnyView(image.view()), nullptr, 1);
}

// Noise over waves along either axis.
reference::Image<float> lattice(Shape shape, double period, double moved, unsigned seed) {
    const double turn = 2 * std::acos(-1.0) / period;
    reference::Image<float> image = reference::noise<float>(shape, seed);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double waves = std::cos(turn * (static_cast<double>(r) - moved)) +
                                 std::cos(turn * static_cast<double>(c));
            image.at(r, c) = image.at(r, c) * 0.1f + static_cast<float>(waves);
        }
    }
    return image;
}

}  // namespace

TEST(of_white_noise_chance_is_one_over_the_root_of_the_pixels) {
    const Shape shape{96, 80};
    const Frame a = frame(reference::noise<float>(shape, 1)),
                b = frame(reference::noise<float>(shape, 2));
    const double expected = 1 / std::sqrt(96.0 * 80.0);
    CHECK_NEAR(chance(a, b, 0, 0), expected, 0.1 * expected);
    CHECK_NEAR(chance(a, b, 48, -20), expected / std::sqrt(0.5 * 0.75), 0.2 * expected);
}

TEST(what_crystals_of_one_lattice_share_is_no_chance) {
    const Shape shape{96, 96};
    const Frame still = frame(lattice(shape, 8, 0, 1)), moved = frame(lattice(shape, 8, 3, 2)),
                noise = frame(reference::noise<float>(shape, 3));
    CHECK(overlap_correlation(still, moved, 3, 0) > 10 * chance(still, moved, 3, 0));
    CHECK(std::abs(overlap_correlation(still, noise, 3, 0)) < 4 * chance(still, noise, 3, 0));
}

TEST(where_nothing_is_known_chance_makes_anything) {
    const Shape shape{32, 40};
    const Frame a = frame(reference::noise<float>(shape, 1)),
                flat = frame(reference::Image<float>(shape));
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(chance(a, flat, 0, 0) == infinity);
    CHECK(chance(a, a, 32, 0) == infinity);
    CHECK(chance(a, a, 1e300, -1e300) == infinity);
    CHECK_THROWS(chance(a, a, std::nan(""), 0), std::invalid_argument, "expected two finite");
    CHECK_THROWS(chance(a, frame(reference::noise<float>({32, 32}, 1)), 0, 0),
                 std::invalid_argument, "expected frames of one shape");
}
