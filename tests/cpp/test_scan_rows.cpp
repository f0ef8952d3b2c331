// Rows of a scan without Python: splines, the prior, and rows that are found and put back.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "ncc_reference.hpp"
#include "scan/cubic_spline.hpp"
#include "scan/displacement_prior.hpp"
#include "scan/find_rows.hpp"
#include "scan/noise_model.hpp"
#include "scan/resample_rows.hpp"

using stemzoo::Shape;
using stemzoo::scan::Pair;
using stemzoo::scan::RowOptions;

namespace {

constexpr Shape shape{60, 160};

double specimen(double y, double x) {
    return 20 + 8 * std::sin(x / 3 + y / 7) + 6 * std::cos(x / 4.3 - y / 5);
}

// The specimen with row y displaced by d[y].
std::vector<float> recorded(const std::vector<Pair>& d) {
    std::vector<float> image;
    for (std::size_t y = 0; y < shape.rows; ++y) {
        for (std::size_t x = 0; x < shape.cols; ++x) {
            const double value =
                specimen(static_cast<double>(y) + d[y].y, static_cast<double>(x) + d[y].x);
            image.push_back(static_cast<float>(value));
        }
    }
    return image;
}

std::vector<Pair> jitter(double across, double along) {
    const auto noise = reference::noise<float>({shape.rows, 2}, 5, 0, 1);
    std::vector<Pair> d;
    for (std::size_t y = 0; y < shape.rows; ++y) {
        d.push_back({across * static_cast<double>(noise.pixels[2 * y]),
                     along * static_cast<double>(noise.pixels[2 * y + 1])});
    }
    return d;
}

const std::vector<Pair> still(shape.rows);

}  // namespace

TEST(cubic_spline_interpolates_its_samples) {
    std::vector<float> row;
    for (int x = 0; x < 40; ++x) row.push_back(static_cast<float>(std::sin(x / 4.0)));
    std::vector<float> spline = row;
    stemzoo::scan::spline_along_row(spline.data(), spline.size());
    for (const double place : {7.0, 12.5, 20.25, 31.9}) {
        const stemzoo::scan::CubicTaps taps(place);
        double value = 0, slope = 0;
        for (std::size_t t = 0; t < 4; ++t) {
            const auto at = static_cast<std::size_t>(taps.first) + t;
            value += static_cast<double>(taps.value[t] * spline[at]);
            slope += static_cast<double>(taps.slope[t] * spline[at]);
        }
        CHECK_NEAR(value, std::sin(place / 4), 2e-4);
        CHECK_NEAR(slope, std::cos(place / 4) / 4, 1e-3);
    }
    CHECK(stemzoo::scan::mirrored(-2, 5) == 2 && stemzoo::scan::mirrored(5, 5) == 3);
}

TEST(rows_are_found_and_put_back) {
    for (const double across : {0.0, 0.4}) {
        const auto d = jitter(across, 1);
        const auto image = recorded(d), pilot = recorded(still);
        const std::size_t reach = across > 0 ? 2 : 0;
        const RowOptions options{{reach, 5}, 0, 1};
        const auto rows = stemzoo::scan::find_rows(image.data(), pilot.data(), shape, options);
        for (std::size_t y = 4; y + 4 < shape.rows; ++y) {
            CHECK_NEAR(rows.displacement[y].x, d[y].x, 0.02);
            CHECK_NEAR(rows.displacement[y].y, d[y].y, 0.04);
        }
        CHECK(rows.evidence.x > 100);
        std::vector<float> straight(image.size());
        stemzoo::scan::resample_rows(image.data(), shape, d, straight.data(), 1);
        double worst = 0;
        for (std::size_t y = 6; y + 6 < shape.rows; ++y) {
            for (std::size_t x = 8; x + 8 < shape.cols; ++x) {
                const std::size_t i = y * shape.cols + x;
                worst = std::max(worst, std::abs(static_cast<double>(straight[i] - pilot[i])));
            }
        }
        CHECK(worst < (across > 0 ? 0.6 : 0.02));
    }
}

TEST(rows_are_the_same_for_any_number_of_threads) {
    const auto image = recorded(jitter(0.3, 1)), pilot = recorded(still);
    const auto one = stemzoo::scan::find_rows(image.data(), pilot.data(), shape, {{1, 5}, 25, 1});
    const auto four = stemzoo::scan::find_rows(image.data(), pilot.data(), shape, {{1, 5}, 25, 4});
    for (std::size_t y = 0; y < shape.rows; ++y) {
        CHECK(one.displacement[y].x == four.displacement[y].x);
        CHECK(one.displacement[y].y == four.displacement[y].y);
    }
}

TEST(rows_that_say_nothing_stay) {
    const std::vector<float> flat(shape.size(), 3);
    const auto pilot = recorded(still);
    for (const auto& other : {flat, pilot}) {
        const auto rows = stemzoo::scan::find_rows(flat.data(), other.data(), shape, {});
        for (std::size_t y = 0; y < shape.rows; ++y) {
            CHECK(rows.displacement[y].x == 0 && rows.displacement[y].y == 0);
        }
    }
}

TEST(rows_are_less_certain_where_they_fit_the_pilot_worse) {
    auto image = recorded(jitter(0, 1));
    const auto pilot = recorded(still);
    const auto noise = reference::noise<float>(shape, 7, 0, 1);
    const auto worse = [](std::size_t y) { return y >= 20 && y < 26; };
    for (std::size_t i = 0; i < shape.size(); ++i) {
        image[i] += (worse(i / shape.cols) ? 4 : 1) * noise.pixels[i];
    }
    const auto rows = stemzoo::scan::find_rows(image.data(), pilot.data(), shape, {{0, 5}, 25, 1});
    double worse_sigma = 0, other_sigma = 0;
    for (std::size_t y = 0; y < shape.rows; ++y) {
        (worse(y) ? worse_sigma : other_sigma) += rows.sigma[y].x;
    }
    CHECK(worse_sigma / 6 > 1.5 * other_sigma / 54);
}

// Where residuals rise much faster than the intensity, as errors of a pilot do, the best straight
// line leaves no noise at the lowest ones.
TEST(no_pixel_is_quieter_than_the_quietest) {
    const Shape large{200, 200};
    const auto normal = reference::noise<float>(large, 3, 0, 1);
    std::vector<float> image, model;
    for (std::size_t i = 0; i < large.size(); ++i) {
        const double m = std::pow(static_cast<double>(i % 100) / 100, 4);
        const double residual = (0.02 + 0.6 * m * m) * static_cast<double>(normal.pixels[i]);
        model.push_back(static_cast<float>((m - 0.195) / 0.26));
        image.push_back(model.back() + static_cast<float>(residual));
    }
    const auto noise = stemzoo::scan::measure_noise(image.data(), model.data(), large, 0, 1);
    const double lowest = 1 - noise.slope * 0.195 / 0.26;
    CHECK_NEAR(noise.level * std::max(lowest, double(noise.least)), 0.02 * 0.02, 5e-5);
}

TEST(one_row_does_not_tell_of_all) {
    stemzoo::scan::RowEstimates one, all;
    for (std::size_t y = 0; y < 100; ++y) {
        one.value.push_back(y == 50 ? 40 : 0.5);
        all.value.push_back(y % 2 == 0 ? 4 : -4);
        one.information.push_back(1);
        all.information.push_back(1);
    }
    const auto misled = stemzoo::scan::fit_prior(one), moved = stemzoo::scan::fit_prior(all);
    CHECK(misled.evidence > 300 && misled.common_evidence < 0);
    CHECK(moved.evidence > 300 && moved.common_evidence > 300);
}

// How much of a wave in the displacements is not left to the specimen.
double kept(std::vector<double> displacements, const std::vector<double>& wave) {
    stemzoo::scan::leave_distortion(displacements, 25);
    double both = 0, own = 0;
    for (std::size_t y = 0; y < wave.size(); ++y) {
        both += displacements[y] * wave[y];
        own += wave[y] * wave[y];
    }
    return both / own;
}

TEST(slow_displacements_are_the_specimens_unless_jitter_explains_them) {
    const std::size_t count = 600;
    for (const double jitter : {0.0, 0.1, 3.0}) {
        std::mt19937 random(1);
        std::normal_distribution<double> normal(0, 1);
        std::vector<double> wave(count), sum(count);
        for (std::size_t y = 0; y < count; ++y) {
            wave[y] = 0.3 * std::cos(std::acos(-1.0) * 4 * (static_cast<double>(y) + 0.5) / count);
            sum[y] = wave[y] + jitter * normal(random) + 5;
        }
        std::vector<double> alone = sum;
        for (std::size_t y = 0; y < count; ++y) alone[y] -= wave[y];
        // The jitter has a part of the wave, too, which is subtracted.
        const double part = kept(sum, wave) - kept(alone, wave);
        CHECK(jitter > 1 ? part > 0.5 : part < 0.15);
    }
}

TEST(the_prior_is_learnt_from_the_rows) {
    const auto noise = reference::noise<float>({4000, 2}, 11, 0, 1);
    stemzoo::scan::RowEstimates rows, quiet;
    for (std::size_t y = 0; y < 4000; ++y) {
        const double d = static_cast<double>(noise.pixels[2 * y]),
                     e = static_cast<double>(noise.pixels[2 * y + 1]);
        rows.value.push_back(d + e);
        quiet.value.push_back(e);
        rows.information.push_back(1);
        quiet.information.push_back(1);
    }
    const auto prior = stemzoo::scan::fit_prior(rows), none = stemzoo::scan::fit_prior(quiet);
    CHECK_NEAR(prior.variance, 1, 0.1);
    CHECK(prior.memory == 0);
    CHECK(none.variance < 0.05);
    std::vector<double> mean, sigma;
    stemzoo::scan::smooth(rows, prior, mean, sigma);
    CHECK_NEAR(mean[7], rows.value[7] / 2, 0.1 * std::abs(rows.value[7]));
    CHECK_NEAR(sigma[7], std::sqrt(0.5), 0.02);
}

TEST(scan_refuses_what_it_cannot_use) {
    using Error = std::invalid_argument;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto image = recorded(still);
    auto holed = image;
    holed[3] = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> to(image.size());
    const auto find = [&](const std::vector<float>& pilot, Shape size, const RowOptions& options) {
        return stemzoo::scan::find_rows(image.data(), pilot.data(), size, options);
    };
    CHECK_THROWS(find(holed, shape, {}), Error, "1 pixels that are not finite");
    CHECK_THROWS(find(image, {60, 20}, {}), Error, "at least 5 rows and 36 columns");
    CHECK_THROWS(find(image, shape, {{0, 0}, 25, 1}), Error, "at least 1 pixel");
    CHECK_THROWS(find(image, shape, {{0, 5}, nan, 1}), Error, "expected 0 to a million rows");
    auto d = still;
    d[2].x = nan;
    const auto resample = [&](const std::vector<Pair>& rows) {
        stemzoo::scan::resample_rows(image.data(), shape, rows, to.data(), 1);
        return true;
    };
    CHECK_THROWS(resample(d), Error, "displacement of row 2");
    d.pop_back();
    CHECK_THROWS(resample(d), Error, "got 59 displacements");
}
