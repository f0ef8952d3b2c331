// What the correlation is: shapes, signs, types, strides, refusals, threads.
#include <algorithm>
#include <limits>
#include <vector>

#include "check.hpp"
#include "ncc/ncc.hpp"
#include "ncc/transform.hpp"
#include "ncc_reference.hpp"

using namespace reference;
using stemzoo::ncc::Reference;
using stemzoo::ncc::Settings;

TEST(peak_says_how_far_features_moved) {
    const auto image = noise<float>({40, 50}, 1);
    const auto moved = shifted(image, 3, -5, 2);
    const Surface s = correlate(image, moved, {8, 9, 0.25});
    CHECK(s.shape == (Shape{17, 19}));
    const auto peak = static_cast<std::size_t>(std::max_element(s.values.begin(), s.values.end()) -
                                               s.values.begin());
    CHECK(peak / 19 == 8 + 3);
    CHECK(peak % 19 == 9 - 5);
    CHECK_NEAR(s.values[peak], 1.0, 1e-6);
}

TEST(every_shape_agrees_with_the_definition) {
    const Shape shapes[] = {{2, 2}, {2, 3}, {17, 5}, {31, 64}, {48, 33}, {127, 131}};
    for (const Shape shape : shapes) {
        const auto a = noise<float>(shape, 3), b = noise<float>(shape, 4);
        const std::size_t dy = std::min<std::size_t>(shape.rows - 1, 7);
        const std::size_t dx = std::min<std::size_t>(shape.cols - 1, 9);
        CHECK(worst_error(a, b, {dy, dx, 1e-6}) < 1e-4);
        CHECK(worst_error(a, b, {0, dx, 1e-6}) < 1e-4);
        CHECK(worst_error(a, b, {dy, 0, 0.5}) < 1e-4);
    }
}

TEST(shifts_up_to_the_whole_image_agree_with_the_definition) {
    for (const Shape shape : {Shape{2, 2}, Shape{24, 37}, Shape{64, 64}}) {
        const auto a = lattice<float>(shape, 0, 0), b = lattice<float>(shape, 1.5, -2.5);
        CHECK(worst_error(a, b, {shape.rows - 1, shape.cols - 1, 1e-9}) < 1e-4);
    }
}

TEST(too_little_overlap_gives_zero) {
    const auto a = noise<float>({16, 16}, 5);
    const Surface all = correlate(a, a, {15, 15, 1e-9});
    CHECK(all.values.front() == 0.0f);  // one pixel is no evidence
    const Surface half = correlate(a, a, {15, 15, 0.5});
    for (std::size_t row = 0; row < 31; ++row) {
        for (std::size_t col = 0; col < 31; ++col) {
            const auto left = [](std::size_t i) { return i < 15 ? i + 1 : 31 - i; };
            const bool enough = left(row) * left(col) * 2 >= 256;
            const float value = half.values[row * 31 + col];
            CHECK(enough ? value == all.values[row * 31 + col] : value == 0.0f);
        }
    }
}

template <typename T>
void check_type() {
    // Integers need contrast to be worth correlating.
    const bool integer = std::numeric_limits<T>::is_integer;
    const double offset = std::numeric_limits<T>::is_signed ? 5 : 60;
    const auto a = noise<T>({20, 30}, 6, offset, integer ? 12 : 1);
    const auto b = shifted(a, 2, 3, 7);
    const Settings settings{5, 6, 0.1};
    CHECK(worst_error(a, b, settings) < 1e-4);

    // The same pixels, read transposed, backwards, and from every other column.
    const Surface expected = correlate(a, b, settings);
    Image<T> strided({60, 20});
    for (std::size_t r = 0; r < 20; ++r) {
        for (std::size_t c = 0; c < 30; ++c) strided.at(59 - 2 * c, r) = b.at(r, c);
    }
    const View<const T> view{&strided.pixels[59 * 20], {20, 30}, 1, -40};
    const Reference prepared(AnyView(a.view()), settings);
    std::vector<float> surface(prepared.surface_shape().size());
    prepared.correlate(AnyView(view), nullptr, surface.data());
    CHECK(surface == expected.values);
}

TEST(every_pixel_type_and_stride) {
    check_type<std::uint8_t>();
    check_type<std::int8_t>();
    check_type<std::uint16_t>();
    check_type<std::int16_t>();
    check_type<std::uint32_t>();
    check_type<std::int32_t>();
    check_type<std::uint64_t>();
    check_type<std::int64_t>();
    check_type<float>();
    check_type<double>();
}

TEST(types_may_differ_between_the_images) {
    const auto a = noise<std::uint16_t>({33, 40}, 8, 1000, 50);
    const auto b = noise<double>({33, 40}, 9, -3, 1e-3);
    CHECK(worst_error(a, b, {10, 10, 0.1}) < 1e-4);
}

TEST(threads_and_batches_do_not_change_a_bit) {
    const Shape shape{67, 90};
    const Settings settings{20, 30, 0.05};
    const auto a = noise<float>(shape, 10);
    std::vector<Image<float>> frames;
    std::vector<AnyView> views;
    for (unsigned i = 0; i < 9; ++i) frames.push_back(shifted(a, int(i) - 4, 2, 11 + i));
    for (const auto& frame : frames) views.emplace_back(frame.view());
    const Reference prepared(AnyView(a.view()), settings, nullptr, 4);
    const std::size_t size = prepared.surface_shape().size();
    std::vector<float> batch(size * frames.size());
    prepared.correlate(views, {}, batch.data(), 4);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const std::vector<float> part(batch.begin() + static_cast<std::ptrdiff_t>(i * size),
                                      batch.begin() + static_cast<std::ptrdiff_t>((i + 1) * size));
        CHECK(part == correlate(a, frames[i], settings, {}, 1).values);
        CHECK(part == correlate(a, frames[i], settings, {}, 4).values);
    }
    prepared.correlate(std::vector<AnyView>{}, {}, nullptr, 4);
}

TEST(threads_that_pay_do_not_change_a_bit) {
    const Shape shape{600, 1100};
    CHECK(stemzoo::ncc::transform_threads({512, 512}, 4) == 1);
    CHECK(stemzoo::ncc::transform_threads(shape, 4) == 2);
    const auto a = noise<float>(shape, 10), b = shifted(a, 2, 1, 11);
    const Settings settings{4, 3, 0.05};
    CHECK(correlate(a, b, settings, {}, 1).values == correlate(a, b, settings, {}, 4).values);
}

TEST(borrowed_pixels_give_the_same_surface) {
    const auto a = lattice<float>({40, 40}, 0, 0), b = lattice<float>({40, 40}, 2, 1);
    const Settings settings{39, 39, 1e-6};
    const Reference prepared(AnyView(a.view()), settings, nullptr, 1, Reference::Pixels::borrow);
    std::vector<float> surface(prepared.surface_shape().size());
    prepared.correlate(AnyView(b.view()), nullptr, surface.data(), 1);
    CHECK(surface == correlate(a, b, settings).values);
}

TEST(a_reference_outlives_its_image) {
    auto a = noise<float>({32, 32}, 20);
    const auto b = noise<float>({32, 32}, 21);
    const Settings settings{31, 31, 1e-6};  // some lags are recomputed from the pixels
    const Surface expected = correlate(a, b, settings);
    const Reference prepared(AnyView(a.view()), settings);
    std::fill(a.pixels.begin(), a.pixels.end(), 0.0f);
    std::vector<float> surface(expected.values.size());
    prepared.correlate(AnyView(b.view()), nullptr, surface.data());
    CHECK(surface == expected.values);
}

TEST(wrong_arguments_say_what_is_wrong) {
    const auto good = noise<float>({8, 9}, 22);
    const auto other = noise<float>({9, 8}, 23);
    const auto line = noise<float>({1, 9}, 24);
    using Error = std::invalid_argument;
    CHECK_THROWS(correlate(line, line, {0, 2, 0.5}), Error, "at least 2 x 2");
    CHECK_THROWS(correlate(good, good, {8, 2, 0.5}), Error, "less than the image size");
    CHECK_THROWS(correlate(good, good, {2, 9, 0.5}), Error, "less than the image size");
    CHECK_THROWS(correlate(good, other, {2, 2, 0.5}), Error, "expected equal shapes");
    CHECK_THROWS(correlate(good, good, {2, 2, 0.0}), Error, "min_overlap");
    CHECK_THROWS(correlate(good, good, {2, 2, 1.5}), Error, "min_overlap");
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS(correlate(good, good, {2, 2, nan}), Error, "min_overlap");
    for (const double bad : {nan, double(INFINITY), -double(INFINITY), 1e200}) {
        auto broken = noise<double>({8, 9}, 25);
        broken.at(3, 4) = bad;
        CHECK_THROWS(correlate(broken, good, {2, 2, 0.5}), Error, "reference has pixels");
        CHECK_THROWS(correlate(good, broken, {2, 2, 0.5}), Error, "moving image has pixels");
    }
    const Reference prepared(AnyView(good.view()), {2, 2, 0.5});
    std::vector<float> surface(50);
    CHECK_THROWS(prepared.correlate({AnyView(good.view()), AnyView(good.view())},
                                    {stemzoo::ncc::Mask{}}, surface.data()),
                 Error, "2 frames but 1 masks");
}
