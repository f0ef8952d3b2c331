// Surveys are what plain sums find; frames are cleaned alike however they lie in memory.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "drift/cleaning.hpp"
#include "drift/frame.hpp"
#include "drift/survey.hpp"
#include "ncc_reference.hpp"

using stemzoo::AnyView;
using stemzoo::Shape;
using stemzoo::View;
using namespace stemzoo::drift;

TEST(survey_is_what_plain_sums_find) {
    for (const Shape shape : {Shape{2, 2}, Shape{3, 40}, Shape{37, 18}, Shape{64, 49}}) {
        auto image = reference::noise<float>(shape, 3, 0, 2);
        for (std::size_t c = 0; c < shape.cols; ++c) image.at(1, c) = image.at(0, 0);
        const Survey found(image.view());
        const auto& p = image.pixels;
        CHECK(found.lowest == *std::min_element(p.begin(), p.end()));
        CHECK(found.highest == *std::max_element(p.begin(), p.end()));
        double square = 0, differences = 0;
        for (const float x : p) square += static_cast<double>(x) * static_cast<double>(x);
        square /= static_cast<double>(shape.size());
        CHECK_NEAR(found.mean_square / square, 1, 1e-5);
        for (std::size_t r = 0; r < shape.rows; ++r) {
            double sum = 0;
            bool same = true;
            for (std::size_t c = 0; c < shape.cols; ++c) {
                sum += static_cast<double>(image.at(r, c));
                same = same && image.at(r, c) == image.at(r, 0);
            }
            CHECK_NEAR(found.row_means[r], sum / static_cast<double>(shape.cols), 1e-5);
            CHECK((found.same_rows[r] != 0) == same);
        }
        for (std::size_t c = 0; c < shape.cols; ++c) {
            double sum = 0;
            bool same = true;
            for (std::size_t r = 0; r < shape.rows; ++r) {
                sum += static_cast<double>(image.at(r, c));
                same = same && image.at(r, c) == image.at(0, c);
            }
            CHECK_NEAR(found.column_means[c], sum / static_cast<double>(shape.rows), 1e-5);
            CHECK((found.same_columns[c] != 0) == same);
        }
        for (std::size_t r = 0; r + 1 < shape.rows; r += 2) {
            for (std::size_t c = 0; c + 1 < shape.cols; c += 2) {
                const auto d = static_cast<double>((image.at(r, c) - image.at(r + 1, c)) -
                                                   (image.at(r, c + 1) - image.at(r + 1, c + 1)));
                differences += d * d;
            }
        }
        const auto count = static_cast<double>((shape.rows / 2) * (shape.cols / 2));
        CHECK_NEAR(found.noise, differences / count / 4, 1e-5 * (1 + found.noise));
    }
}

TEST(survey_sees_the_variance_of_noise_beside_a_specimen) {
    auto image = reference::noise<float>({130, 141}, 2, 0, 2);
    for (std::size_t r = 0; r < 130; ++r) {
        for (std::size_t c = 0; c < 141; ++c) image.at(r, c) += static_cast<float>(r + 3 * c);
    }
    CHECK_NEAR(Survey(image.view()).noise, 4, 0.4);
}

TEST(cleaning_does_not_depend_on_strides) {
    auto image = reference::noise<float>({40, 30}, 1, 5, 2);
    image.at(20, 13) = 1e5f;
    reference::Image<float> turned({30, 40});
    for (std::size_t r = 0; r < 40; ++r) {
        for (std::size_t c = 0; c < 30; ++c) turned.at(c, r) = image.at(r, c);
    }
    const View<const float> by_columns{turned.pixels.data(), {40, 30}, 1, 40};
    const CleanFrame a = clean(AnyView(image.view()), nullptr, "image"),
                     b = clean(AnyView(by_columns), nullptr, "image");
    CHECK(std::equal(a.pixels.data(), a.pixels.data() + 1200, b.pixels.data()));
    CHECK(a.invalid.empty() && a.missing.empty());
    CHECK(std::abs(a.pixels[20 * 30 + 13] - a.pixels[20 * 30 + 14]) < 20);  // it was hot
}

TEST(cleaning_leaves_out_borders_of_nan_and_refuses_other_holes) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    auto image = reference::noise<float>({20, 24}, 1);
    for (std::size_t c = 0; c < 24; ++c) image.at(0, c) = nan;
    image.at(7, 23) = nan;
    const CleanFrame frame = clean(AnyView(image.view()), nullptr, "it");
    CHECK(std::count(frame.missing.begin(), frame.missing.end(), 1) == 25);
    CHECK(frame.pixels[3] == 0 && frame.pixels[7 * 24 + 23] == 0);
    image.at(10, 10) = nan;
    CHECK_THROWS(clean(AnyView(image.view()), nullptr, "it"), NotFinite, "it holds NaN or infin");
    reference::Mask mask({20, 24});
    mask.at(10, 10) = 1;
    const MaskView masked = mask.view();
    CHECK(clean(AnyView(image.view()), &masked, "it").missing[10 * 24 + 10] == 1);
    std::fill(mask.pixels.begin(), mask.pixels.end(), std::uint8_t(1));
    CHECK_THROWS(clean(AnyView(image.view()), &masked, "it"), std::invalid_argument,
                 "every pixel of it is masked");
}

TEST(cleaning_scales_what_float_cannot_square) {
    const auto plain = reference::noise<double>({32, 32}, 1, 3, 2);
    const CleanFrame expected = clean(AnyView(plain.view()), nullptr, "image");
    for (const double unit : {1e-300, 1e-30, 1e30, 1e300, 1.5e307}) {
        auto image = plain;
        for (double& x : image.pixels) x *= unit;
        const CleanFrame found = clean(AnyView(image.view()), nullptr, "image");
        const float scale = found.pixels[5] / expected.pixels[5];
        for (std::size_t i = 0; i < 1024; ++i) {
            CHECK_NEAR(found.pixels[i], expected.pixels[i] * scale, 1e-5);
        }
    }
    auto torn = plain;  // a difference of two of its pixels overflows
    for (double& x : torn.pixels) x = x > 3 ? 1.7e308 : -1.7e308;
    const CleanFrame found = clean(AnyView(torn.view()), nullptr, "image");
    for (std::size_t i = 0; i < 1024; ++i) CHECK(std::isfinite(found.pixels[i]));
}

// Masked pixels and dead lines, also where rows are no whole number of vectors.
TEST(a_clean_frame_is_loaded_as_any_masked_image_is) {
    for (const Shape shape : {Shape{40, 64}, Shape{37, 83}, Shape{16, 19}}) {
        auto image = reference::noise<float>(shape, 5, 200, 3);
        std::vector<std::uint8_t> masked(shape.size());
        for (std::size_t r = 0; r < shape.rows; ++r) {
            image.at(r, 7) = image.at(0, 7);
            masked[r * shape.cols + r % 5] = 1;
        }
        const MaskView mask = stemzoo::contiguous<const std::uint8_t>(masked.data(), shape);
        const CleanFrame frame = clean(AnyView(image.view()), &mask, "image");
        std::vector<std::uint8_t> valid(shape.size());
        double sum = 0, count = 0;
        for (std::size_t i = 0; i < valid.size(); ++i) {
            valid[i] = frame.invalid[i] == 0;
            CHECK((valid[i] == 0) == (i % shape.cols == 7 || masked[i] != 0));
            sum += valid[i] != 0 ? static_cast<double>(frame.pixels[i]) : 0.0;
            count += valid[i];
        }
        CHECK_NEAR(sum / count, 0, 1e-5);
        const Frame::Mask kept = stemzoo::contiguous<const std::uint8_t>(valid.data(), shape);
        const Frame found(frame, 1), expected(AnyView(frame.view()), &kept, 1);
        for (std::size_t i = 0; i < valid.size(); ++i) {
            CHECK_NEAR(found.pixels()[i], expected.pixels()[i], 1e-5);
            const std::size_t r = i / shape.cols, c = i % shape.cols;
            CHECK(found.weights()->at(r, c) == expected.weights()->at(r, c));
            if (valid[i] == 0) CHECK(found.pixels()[i] == 0);
        }
    }
}
