// Correlation over pairs of valid pixels.
#include <limits>

#include "check.hpp"
#include "ncc_reference.hpp"

using namespace reference;
using stemzoo::ncc::Reference;
using stemzoo::ncc::Settings;

namespace {

Mask random_mask(Shape shape, unsigned seed, double fraction) {
    std::mt19937 random(seed);
    std::bernoulli_distribution valid(fraction);
    Mask mask(shape);
    for (auto& m : mask.pixels) m = valid(random) ? 255 : 0;
    return mask;
}

}  // namespace

TEST(masks_agree_with_the_definition) {
    for (const Shape shape : {Shape{2, 3}, Shape{30, 41}, Shape{53, 32}}) {
        const auto a = lattice<float>(shape, 0, 0, 100), b = lattice<float>(shape, 1, 2, -5);
        const Settings settings{shape.rows - 1, shape.cols - 1, 1e-6};
        for (const double fraction : {0.02, 0.5, 0.95}) {
            const Mask ma = random_mask(shape, 50, fraction), mb = random_mask(shape, 51, fraction);
            CHECK(worst_error(a, b, settings, {&ma, &mb}) < 1e-4);
            CHECK(worst_error(a, b, settings, {&ma, nullptr}) < 1e-4);
            CHECK(worst_error(a, b, settings, {nullptr, &mb}) < 1e-4);
            CHECK(worst_error(a, b, {settings.max_dy, settings.max_dx, 0.3}, {&ma, &mb}) < 1e-4);
        }
    }
}

TEST(a_full_mask_changes_nothing) {
    const auto a = noise<float>({36, 36}, 52, 10), b = shifted(a, 3, 3, 53);
    const Settings settings{12, 12, 0.2};
    const Mask full = random_mask(a.shape, 54, 1.0);
    const Surface with = correlate(a, b, settings, {&full, &full});
    const Surface without = correlate(a, b, settings);
    for (std::size_t i = 0; i < with.values.size(); ++i) {
        CHECK_NEAR(with.values[i], without.values[i], 1e-5);
    }
}

TEST(masked_pixels_may_hold_anything) {
    auto a = noise<double>({30, 30}, 55), b = shifted(a, 2, -3, 56);
    Mask ma = random_mask(a.shape, 57, 0.9), mb = random_mask(b.shape, 58, 0.9);
    const Settings settings{10, 10, 0.1};
    const Surface before = correlate(a, b, settings, {&ma, &mb});
    for (std::size_t i = 0; i < a.pixels.size(); ++i) {
        if (ma.pixels[i] == 0) a.pixels[i] = std::numeric_limits<double>::quiet_NaN();
        if (mb.pixels[i] == 0) b.pixels[i] = 1e300;
    }
    CHECK(correlate(a, b, settings, {&ma, &mb}).values == before.values);
    b.at(4, 5) = std::numeric_limits<double>::infinity();
    mb.at(4, 5) = 1;
    CHECK_THROWS(correlate(a, b, settings, {&ma, &mb}), std::invalid_argument, "at (4, 5)");
    const Mask wrong({29, 30});
    CHECK_THROWS(correlate(a, b, settings, {&wrong, &mb}), std::invalid_argument, "its mask is");
}

TEST(masking_a_hot_pixel_finds_the_shift_again) {
    auto a = noise<float>({64, 64}, 59), b = shifted(a, 6, -2, 60);
    Mask ma(a.shape), mb(b.shape);
    std::fill(ma.pixels.begin(), ma.pixels.end(), std::uint8_t{1});
    mb = ma;
    a.at(20, 20) = b.at(20, 20) = 1e6f;
    ma.at(20, 20) = mb.at(20, 20) = 0;
    const Surface s = correlate(a, b, {10, 10, 0.25}, {&ma, &mb});
    CHECK(s.values[(10 + 6) * 21 + (10 - 2)] > 0.99f);
}

TEST(nothing_valid_is_no_evidence) {
    const auto a = noise<float>({12, 12}, 61);
    const Mask none(a.shape);
    for (const float r : correlate(a, a, {5, 5, 1e-6}, {&none, nullptr}).values) CHECK(r == 0.0f);
}

TEST(masked_constants_and_extremes) {
    auto a = noise<double>({40, 40}, 62, 0, 1e-5), b = noise<double>({40, 40}, 63, 0, 1e-5);
    Image<double> flat({40, 40});
    const Mask ma = random_mask(a.shape, 64, 0.8), mb = random_mask(b.shape, 65, 0.8);
    const Settings settings{30, 30, 1e-3};
    for (const float r : correlate(a, flat, settings, {&ma, &mb}).values) CHECK(r == 0.0f);
    flat.at(0, 0) = flat.at(0, 1) = 1e9;
    flat.at(2, 3) = -2e9;
    CHECK(worst_error(a, flat, settings, {&ma, &mb}) < 1e-4);
    a.at(0, 0) = 1e7;
    b.at(39, 39) = 1e7;
    CHECK(worst_error(a, b, settings, {&ma, &mb}) < 1e-4);
}

TEST(masked_batches_equal_singles_on_any_number_of_threads) {
    const auto a = noise<float>({45, 38}, 66);
    const Mask ma = random_mask(a.shape, 67, 0.9);
    const Settings settings{9, 9, 0.1};
    std::vector<Image<float>> frames;
    std::vector<Mask> masks;
    std::vector<AnyView> views;
    std::vector<stemzoo::ncc::Mask> mask_views;
    for (unsigned i = 0; i < 5; ++i) {
        frames.push_back(shifted(a, int(i), -int(i), 70 + i));
        masks.push_back(random_mask(a.shape, 80 + i, 0.9));
    }
    for (std::size_t i = 0; i < frames.size(); ++i) {
        views.emplace_back(frames[i].view());
        mask_views.push_back(masks[i].view());
    }
    // The reference has no mask of its own: the masked path is prepared by whoever is first.
    const Reference prepared(AnyView(a.view()), settings, nullptr, 4);
    const std::size_t size = prepared.surface_shape().size();
    std::vector<float> batch(size * frames.size());
    prepared.correlate(views, mask_views, batch.data(), 4);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        for (const unsigned threads : {1u, 4u}) {
            const Surface one = correlate(a, frames[i], settings, {nullptr, &masks[i]}, threads);
            CHECK(std::equal(one.values.begin(), one.values.end(),
                             batch.begin() + static_cast<std::ptrdiff_t>(i * size)));
        }
    }
}
