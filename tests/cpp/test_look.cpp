// Looks: the lattice is gone from the first channel, units are those of the noise, and nothing but
// the frame's values decides.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "drift/look.hpp"
#include "ncc_reference.hpp"

using stemzoo::Shape;
using stemzoo::View;
using stemzoo::drift::fine_stride;
using stemzoo::drift::Look;
using stemzoo::drift::look_shape;

namespace {

std::vector<float> look_of(const View<const float>& pixels, unsigned threads = 1) {
    std::vector<float> out(3 * look_shape(pixels.shape, fine_stride).size());
    Look(pixels, threads).channels(fine_stride, out.data(), threads);
    return out;
}

std::vector<float> look_of(const reference::Image<float>& image) { return look_of(image.view()); }

// The root mean square of a channel.
double strength(const std::vector<float>& seen, std::size_t channel) {
    const std::size_t size = seen.size() / 3;
    double sum = 0;
    for (std::size_t i = channel * size; i < (channel + 1) * size; ++i) {
        sum += static_cast<double>(seen[i]) * static_cast<double>(seen[i]);
    }
    return std::sqrt(sum / static_cast<double>(size));
}

// Columns 8.5 px apart, on noise of deviation 1.
reference::Image<float> crystal(Shape shape, double height) {
    auto image = reference::noise<float>(shape, 5);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double y = std::cos(static_cast<double>(r) * 0.739),
                         x = std::cos(static_cast<double>(c) * 0.739);
            image.at(r, c) += static_cast<float>(height * (y + x));
        }
    }
    return image;
}

}  // namespace

TEST(look_has_a_part_of_the_frame_cut_to_multiples_of_eight) {
    CHECK((look_shape({256, 256}, 2) == Shape{128, 128}));
    CHECK((look_shape({257, 135}, 2) == Shape{128, 64}));
    CHECK((look_shape({257, 135}, 4) == Shape{64, 32}));
    CHECK_THROWS(look_shape({64, 64}, 3), std::invalid_argument, "stride is 3; expected 2 or 4");
}

TEST(look_of_noise_is_in_units_of_the_noise_and_worth_nothing) {
    const std::vector<float> seen = look_of(reference::noise<float>({128, 160}, 3, 0, 7));
    // Of a deviation of 1 the low-pass leaves 0.19, which is doubled at half the resolution.
    CHECK(strength(seen, 0) > 0.1 && strength(seen, 0) < 1);
    CHECK(strength(seen, 2) < 0.3 * strength(seen, 0));
}

TEST(look_takes_the_lattice_out) {
    const std::vector<float> noise = look_of(crystal({128, 128}, 0));
    const std::vector<float> lattice = look_of(crystal({128, 128}, 5));
    CHECK(strength(lattice, 1) > 2 * strength(noise, 1));
    CHECK_NEAR(strength(lattice, 0), strength(noise, 0), 0.3 * strength(noise, 0));
}

TEST(look_knows_no_scale_and_no_offset) {
    const auto image = crystal({96, 80}, 2);
    auto other = image;
    for (float& pixel : other.pixels) pixel = 30 * pixel + 500;
    const std::vector<float> a = look_of(image), b = look_of(other);
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    CHECK(worst < 2e-3);
}

TEST(look_does_not_depend_on_strides_or_threads) {
    const Shape shape{64, 52};
    const auto image = crystal(shape, 3);
    std::vector<float> turned(shape.size());
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) turned[c * shape.rows + r] = image.at(r, c);
    }
    View<const float> view = image.view();
    const std::vector<float> expected = look_of(view);
    CHECK(look_of(view, 3) == expected);
    view.data = turned.data();
    view.row_stride = 1;
    view.col_stride = static_cast<std::ptrdiff_t>(shape.rows);
    CHECK(look_of(view) == expected);
}

TEST(look_of_a_flat_frame_is_zero) {
    for (const float value : look_of(reference::Image<float>({32, 32}))) CHECK(value == 0);
}

TEST(look_refuses_frames_too_small) {
    CHECK_THROWS(look_of(reference::noise<float>({15, 64}, 1)), std::invalid_argument,
                 "frame is 15 x 64 pixels; expected at least 16");
    CHECK(look_of(reference::noise<float>({16, 17}, 1)).size() == 3 * 64);
}
