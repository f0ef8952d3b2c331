// The colour of noise: told from white noise, from a scene, and taken away.
#include <algorithm>
#include <cmath>
#include <memory>

#include "check.hpp"
#include "drift/estimator.hpp"
#include "drift/white_pair.hpp"
#include "ncc_reference.hpp"
#include "spectrum/noise_colour.hpp"
#include "spectrum/whiten.hpp"

using stemzoo::AnyView;
using stemzoo::Scratch;
using stemzoo::Shape;
using stemzoo::drift::Drift;
using stemzoo::drift::Estimator;
using stemzoo::drift::FramePointer;
using stemzoo::spectrum::NoiseColour;

namespace {

using Image = reference::Image<float>;

// An afterglow of one half from pixel to pixel along rows.
Image glowing(Image image) {
    for (std::size_t r = 0; r < image.shape.rows; ++r) {
        for (std::size_t c = 1; c < image.shape.cols; ++c) {
            image.at(r, c) = 0.5f * image.at(r, c) + 0.5f * image.at(r, c - 1);
        }
    }
    return image;
}

// Waves of a lattice without end, and a bright spot, which moves with them.
Image scene(Shape shape, double moved, unsigned seed) {
    const double turn = 2 * std::acos(-1.0) / 12;
    Image image = reference::noise<float>(shape, seed);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double y = static_cast<double>(r) - moved, x = static_cast<double>(c),
                         away2 = (y - 60) * (y - 60) + (x - 70) * (x - 70);
            image.at(r, c) += static_cast<float>(std::cos(turn * y) + std::cos(turn * x) +
                                                 8 * std::exp(-away2 / 18));
        }
    }
    return image;
}

NoiseColour colour(const Image& image) { return NoiseColour(image.view().data, image.shape, 1); }

}  // namespace

TEST(white_noise_has_no_colour_and_afterglow_has_one) {
    for (const Shape shape : {Shape{64, 96}, Shape{128, 128}, Shape{300, 200}}) {
        const Image noise = reference::noise<float>(shape, 1);
        CHECK(!colour(noise).contrast().coloured());
        if (shape.rows > 64) CHECK(colour(glowing(noise)).contrast().coloured());
    }
}

TEST(a_colour_is_the_spectrum_of_the_filter) {
    const Image glow = glowing(reference::noise<float>({256, 256}, 2));
    const NoiseColour found = colour(glow);
    const double pi = std::acos(-1.0);
    for (const double fy : {0.05, 0.25, 0.45}) {
        for (const double fx : {0.1, 0.22, 0.34, 0.46}) {
            // |0.5 / (1 - 0.5 exp(-i k))|^2
            const double expected = 0.25 / (1.25 - std::cos(2 * pi * fx)),
                         power = static_cast<double>(found.power(fy, {fx})[0]);
            CHECK_NEAR(std::log(power / expected), 0.0, 0.35);
        }
    }
}

TEST(what_is_whitened_is_white_of_unit_variance_and_in_place) {
    const Image glow = glowing(scene({160, 192}, 0, 3));
    const NoiseColour before = colour(glow);
    const Scratch<float> white =
        stemzoo::spectrum::whitened(glow.view().data, before, before.highest(), 1);
    const NoiseColour after(white.data(), glow.shape, 1);
    CHECK(!after.contrast().coloured());
    CHECK_NEAR(static_cast<double>(after.power(0.4, {0.4})[0]), 1.0, 0.3);
    const Scratch<float> again =
        stemzoo::spectrum::whitened(glow.view().data, before, before.highest(), 1);
    CHECK(std::equal(white.data(), white.data() + glow.shape.size(), again.data()));
}

TEST(powers_of_single_frequencies_tell_a_scene_from_noise) {
    const Image one = glowing(reference::noise<float>({128, 128}, 4)),
                other = glowing(reference::noise<float>({128, 128}, 5));
    CHECK_NEAR(colour(one).in_common(colour(other)), 0.0, 0.1);
    CHECK_NEAR(colour(one).in_common(colour(one)), 1.0, 1e-6);
}

TEST(pairs_are_whitened_where_both_frames_have_a_colour_that_is_not_their_scene) {
    const Shape shape{128, 128};
    const Estimator estimator(shape, {20, 20}, {}, 1);
    const auto prepared = [&](const Image& image) {
        return estimator.prepare(AnyView(image.view()), nullptr, "image");
    };
    const FramePointer white = prepared(scene(shape, 0, 6)),
                       still = prepared(glowing(scene(shape, 0, 7))),
                       moved = prepared(glowing(scene(shape, 3, 8)));
    CHECK(!whitened(*white, *moved, 1));
    CHECK(!whitened(*still, *white, 1));
    CHECK(!whitened(*still, *still, 1));  // all of it in common
    const auto pair = whitened(*still, *moved, 1);
    CHECK(pair.has_value());
    CHECK(pair->moving == whitened(*still, *moved, 1)->moving);  // made once
    const Drift drift = estimator.compare(*still, *moved, nullptr);
    CHECK_NEAR(drift.shift[0], 3, 0.3);
    CHECK_NEAR(drift.shift[1], 0, 0.3);
    CHECK(!drift.ambiguous());
    CHECK_NEAR(drift.score, estimator.correlation(*still, *moved, drift.shift), 1e-12);
}
