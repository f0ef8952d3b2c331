// The straightening of a scan pass by pass, with the true specimen or nothing as the pilot.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "ncc_reference.hpp"
#include "scan/centring.hpp"
#include "scan/damping.hpp"
#include "scan/straightening.hpp"

using stemzoo::contiguous;
using stemzoo::Shape;
using stemzoo::scan::Damping;
using stemzoo::scan::Straightening;
using stemzoo::scan::StraighteningOptions;

namespace {

constexpr Shape shape{60, 160};

// Row y of the specimen, displaced by d[y].
std::vector<float> recorded(const std::vector<double>& d, double offset) {
    std::vector<float> image;
    for (std::size_t y = 0; y < shape.rows; ++y) {
        for (std::size_t x = 0; x < shape.cols; ++x) {
            const double row = static_cast<double>(y), at = static_cast<double>(x) + d[y];
            const double value =
                20 + 8 * std::sin(at / 3 + row / 7) + 6 * std::cos(at / 4.3 - row / 5);
            image.push_back(static_cast<float>(value + offset));
        }
    }
    return image;
}

std::vector<double> jitter() {
    const auto noise = reference::noise<float>({shape.rows, 1}, 5, 0, 1);
    std::vector<double> d;
    for (std::size_t y = 0; y < shape.rows; ++y) {
        d.push_back(static_cast<double>(noise.pixels[y]));
    }
    return d;
}

const std::vector<double> still(shape.rows);

stemzoo::AnyView view_of(const std::vector<float>& image) {
    return contiguous(image.data(), shape);
}

bool alike(float one, float other) { return std::abs(one - other) <= 1e-6F * std::abs(one); }

StraighteningOptions options() {
    StraighteningOptions chosen;
    chosen.rows.slow = 0;
    return chosen;
}

}  // namespace

TEST(a_scan_is_straightened_pass_by_pass) {
    const std::vector<double> moved = jitter();
    for (const double offset : {0.0, 1e4}) {
        const auto image = recorded(moved, offset), pilot = recorded(still, offset);
        Straightening scan(view_of(image), options());
        std::size_t passes = 0;
        while (const float* seen = scan.next()) {
            if (passes == 0) CHECK(std::equal(image.begin(), image.end(), seen, alike));
            scan.take(view_of(pilot));
            ++passes;
        }
        CHECK(passes > 1 && passes <= options().passes);
        CHECK(scan.next() == nullptr);
        CHECK(scan.moved());
        std::vector<float> result(shape.size());
        scan.result(result.data());
        for (std::size_t y = 0; y < shape.rows; ++y) {
            CHECK_NEAR(scan.rows().displacement[y].x, moved[y], 0.05);
            for (std::size_t x = 8; x < shape.cols - 8; ++x) {
                const std::size_t at = y * shape.cols + x;
                CHECK_NEAR(static_cast<double>(result[at]), static_cast<double>(pilot[at]), 0.3);
            }
        }
    }
}

TEST(errors_of_a_pilot_move_no_rows) {
    auto image = recorded(still, 0);
    const auto noise = reference::noise<float>(shape, 8, 0, 6);
    for (std::size_t k = 0; k < shape.size(); ++k) image[k] += noise.pixels[k];
    std::vector<double> wrong = jitter();
    for (double& d : wrong) d *= 0.3;
    const auto pilot = recorded(wrong, 0);
    const auto found = find_rows(image.data(), pilot.data(), shape, options().rows);
    CHECK(found.evidence.x > 0);
    Straightening scan(view_of(image), options());
    CHECK(scan.next() != nullptr);
    scan.take(view_of(pilot));
    CHECK(scan.next() == nullptr);
    CHECK(!scan.moved());
    CHECK_NEAR(scan.rows().evidence.x, found.evidence.x, 1e-3 * found.evidence.x);
    for (const auto& d : scan.rows().displacement) CHECK(d.x == 0 && d.y == 0);
}

TEST(a_few_rows_that_the_pilot_displaced_move_none) {
    std::vector<double> wrong = still;
    for (const std::size_t y : {20, 21, 22, 40}) wrong[y] = 3;
    const auto image = recorded(still, 0), pilot = recorded(wrong, 0);
    Straightening scan(view_of(image), options());
    CHECK(scan.next() != nullptr);
    scan.take(view_of(pilot));
    CHECK(scan.rows().evidence.x > 10 * static_cast<double>(shape.rows));
    CHECK(!scan.moved());
}

TEST(holes_are_filled_for_the_pilot_and_stay_in_the_result) {
    auto image = recorded(jitter(), 0);
    const auto pilot = recorded(still, 0);
    image[7] = std::numeric_limits<float>::quiet_NaN();
    Straightening scan(view_of(image), options());
    while (const float* seen = scan.next()) {
        CHECK(std::all_of(seen, seen + shape.size(), [](float v) { return std::isfinite(v); }));
        scan.take(view_of(pilot));
    }
    std::vector<float> result(shape.size());
    scan.result(result.data());
    CHECK(std::count_if(result.begin(), result.end(), [](float v) { return std::isnan(v); }) > 0);
}

TEST(straightening_refuses_what_it_cannot_use) {
    using Error = std::invalid_argument;
    const auto image = recorded(still, 0);
    StraighteningOptions none = options();
    none.passes = 0;
    CHECK_THROWS(Straightening(view_of(image), none), Error, "passes is 0");
    Straightening scan(view_of(image), options());
    scan.next();
    const auto take = [&] {
        scan.take(contiguous(image.data(), Shape{60, 100}));
        return true;
    };
    CHECK_THROWS(take(), Error, "image is 60 x 160 and pilot 60 x 100");
}

TEST(changes_are_damped_frequency_by_frequency) {
    const std::vector<double> change = jitter();
    Damping damping;
    CHECK(damping.limited(change) == change);
    const std::vector<double> again = damping.limited(change);
    for (std::size_t y = 0; y < change.size(); ++y) CHECK_NEAR(again[y], 0.7 * change[y], 1e-12);
    std::vector<double> small = change;
    for (double& d : small) d *= 0.4;
    const std::vector<double> kept = damping.limited(small);
    for (std::size_t y = 0; y < change.size(); ++y) CHECK_NEAR(kept[y], small[y], 1e-12);
}

TEST(the_typical_value_is_a_median_of_known_pixels) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> image{4, nan, 1, 3, nan, 100};
    const auto view = contiguous(image.data(), Shape{2, 3});
    CHECK_NEAR(stemzoo::scan::typical(view), 3.5, 0);
    std::vector<float> centred(image.size());
    stemzoo::scan::centre(view, 3.5, centred.data());
    CHECK(centred[0] == 0.5F && std::isnan(centred[1]) && centred[5] == 96.5F);
}
