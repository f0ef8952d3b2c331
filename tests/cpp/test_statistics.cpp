#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "tiling/statistics.hpp"

using namespace stemzoo;

namespace {

template <typename T>
std::vector<T> random_pixels(std::size_t count, double offset, double spread) {
    std::mt19937 random(11);
    std::uniform_real_distribution<double> uniform(-spread, spread);
    std::vector<T> pixels(count);
    for (T& pixel : pixels) pixel = static_cast<T>(offset + uniform(random));
    return pixels;
}

template <typename T>
Statistics plain(const std::vector<T>& pixels) {
    long double sum = 0, squares = 0;
    const auto count = static_cast<long double>(pixels.size());
    for (const T x : pixels) sum += static_cast<long double>(x);
    const long double mean = sum / count;
    for (const T x : pixels) {
        const long double difference = static_cast<long double>(x) - mean;
        squares += difference * difference;
    }
    return {static_cast<double>(mean), static_cast<double>(std::sqrt(squares / count)), true};
}

bool same(const Statistics& a, const Statistics& b) {
    const bool limits =
        a.limits.has_value() == b.limits.has_value() &&
        (!a.limits || (a.limits->low == b.limits->low && a.limits->high == b.limits->high));
    return a.mean == b.mean && a.std == b.std && a.finite == b.finite && limits;
}

template <typename T>
void check_dtype(double offset, double spread) {
    for (const Shape shape :
         {Shape{1, 1}, Shape{1, 70001}, Shape{70001, 1}, Shape{37, 5003}, Shape{300, 411}}) {
        const auto pixels = random_pixels<T>(shape.size(), offset, spread);
        const AnyView view = contiguous<const T>(pixels.data(), shape);
        const Statistics expected = plain(pixels);
        const Statistics actual = measure(view, 1);
        CHECK(actual.finite);
        CHECK_NEAR(actual.mean, expected.mean, 1e-14 * std::abs(expected.mean));
        CHECK_NEAR(actual.std, expected.std, 1e-10 * expected.std);
        CHECK(same(measure(view, 4), actual));

        // The same image, written column by column from the far corner.
        std::vector<T> other(pixels.size());
        for (std::size_t r = 0; r < shape.rows; ++r) {
            for (std::size_t c = 0; c < shape.cols; ++c) {
                other[other.size() - 1 - (c * shape.rows + r)] = pixels[r * shape.cols + c];
            }
        }
        const View<const T> strided{other.data() + other.size() - 1, shape, -1,
                                    -static_cast<std::ptrdiff_t>(shape.rows)};
        CHECK(same(measure(strided, 3), actual));
    }
}

}  // namespace

TEST(statistics_of_every_dtype) {
    check_dtype<std::uint8_t>(100, 50);
    check_dtype<std::int8_t>(-20, 50);
    check_dtype<std::uint16_t>(30000, 20000);
    check_dtype<std::int16_t>(-300, 2000);
    check_dtype<std::uint32_t>(4e9, 50);
    check_dtype<std::int32_t>(-2e9, 1e6);
    check_dtype<std::uint64_t>(1e12, 1e6);
    check_dtype<std::int64_t>(-1e12, 1e6);
    check_dtype<float>(1e6, 3);
    check_dtype<double>(1e9, 1e-2);
}

TEST(statistics_of_a_constant_are_exact) {
    const std::vector<double> pixels(70000, 0.1);
    const Statistics result = measure(contiguous<const double>(pixels.data(), {700, 100}), 2);
    CHECK(result.mean == 0.1);
    CHECK(result.std == 0);
    CHECK(result.finite);
}

TEST(statistics_notice_what_is_not_finite) {
    constexpr Shape shape{200, 500};
    for (const std::size_t where : {std::size_t{0}, std::size_t{7}, shape.size() - 1}) {
        for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(),
                                 -std::numeric_limits<double>::infinity()}) {
            auto pixels = random_pixels<float>(shape.size(), 0, 1);
            pixels[where] = static_cast<float>(bad);
            CHECK(!measure(contiguous<const float>(pixels.data(), shape), 2).finite);
        }
    }
    std::vector<double> huge{1e300, -1e300};
    CHECK(!measure(contiguous<const double>(huge.data(), {1, 2}), 1).finite);
    std::vector<float> wide{3e38f, -3e38f};
    CHECK(measure(contiguous<const float>(wide.data(), {1, 2}), 1).finite);
}

TEST(statistics_leave_hot_pixels_out) {
    constexpr Shape shape{200, 411};
    const auto plain_pixels = random_pixels<float>(shape.size(), 5, 1);
    const Statistics expected = plain(plain_pixels);
    auto pixels = plain_pixels;
    pixels[0] = 1e9f;                    // a corner
    pixels[410] = -1e4f;                 // another
    pixels[50 * shape.cols + 7] = 1e3f;  // a streak of three
    pixels[50 * shape.cols + 8] = 9e2f;
    pixels[50 * shape.cols + 9] = 8e2f;
    const AnyView view = contiguous<const float>(pixels.data(), shape);
    const Statistics actual = measure(view, 1);
    CHECK_NEAR(actual.mean, expected.mean, 1e-4);
    CHECK_NEAR(actual.std, expected.std, 1e-4);
    CHECK(actual.limits && actual.limits->low >= 4 && actual.limits->high <= 6);
    CHECK(same(measure(view, 4), actual));

    // Upside down, everything is the same.
    for (float& pixel : pixels) pixel = -pixel;
    const Statistics negative = measure(view, 1);
    CHECK(negative.mean == -actual.mean && negative.std == actual.std);
    CHECK(negative.limits->low == -actual.limits->high);
}

TEST(statistics_of_features_and_sparse_counts_are_plain) {
    constexpr Shape shape{300, 400};
    const auto check = [&](const std::vector<float>& pixels) {
        const Statistics actual = measure(contiguous<const float>(pixels.data(), shape), 2);
        const Statistics expected = plain(pixels);
        CHECK(!actual.limits);
        CHECK_NEAR(actual.std, expected.std, 1e-12 * expected.std);
    };
    auto atom = random_pixels<float>(shape.size(), 0, 1);  // three pixels wide
    for (std::size_t y = 99; y < 102; ++y) {
        for (std::size_t x = 99; x < 102; ++x) atom[y * shape.cols + x] += 500;
    }
    check(atom);

    std::vector<float> counts(shape.size(), 0);  // far below one a pixel, some of them twice
    for (std::size_t i = 0; i < counts.size(); i += 97) counts[i] = 1;
    for (std::size_t i = 0; i < counts.size(); i += 97 * 97) counts[i] = 2;
    check(counts);

    std::vector<float> few(shape.size(), 0);  // nothing else to measure them by
    few[12345] = few[54321] = 1;
    check(few);

    // A line of pixels has no neighbours above and below.
    auto line = random_pixels<float>(5000, 0, 1);
    line[2000] = 1e4f;
    CHECK(measure(contiguous<const float>(line.data(), {1, 5000}), 1).limits);
    CHECK(measure(contiguous<const float>(line.data(), {5000, 1}), 1).limits);
}

TEST(statistics_need_a_pixel) {
    const float pixel = 0;
    CHECK_THROWS(measure(contiguous(&pixel, {0, 4}), 1), std::invalid_argument, "0 x 4");
}
