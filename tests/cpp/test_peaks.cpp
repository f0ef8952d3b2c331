// Peaks of a correlation: where, in which order, how many; and the correlation of an overlap.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "drift/peaks.hpp"
#include "ncc_reference.hpp"

using stemzoo::AnyView;
using stemzoo::Shape;
using stemzoo::drift::Frame;
using stemzoo::drift::overlap_correlation;
using stemzoo::drift::Peak;
using stemzoo::drift::peaks;

namespace {

Frame frame(const reference::Image<float>& image) {
    return Frame(AnyView(image.view()), nullptr, 1);
}

// One hill, so that a shifted one is the same scene.
reference::Image<float> hill(Shape shape, double y, double x) {
    reference::Image<float> image(shape);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double away = std::hypot(static_cast<double>(r) - y, static_cast<double>(c) - x);
            image.at(r, c) = static_cast<float>(std::exp(-away * away / 18));
        }
    }
    return image;
}

// A crystal, by default of 10 by 12 px, moved.
reference::Image<float> crystal(Shape shape, double dy, double dx, double high = 10,
                                double wide = 12) {
    reference::Image<float> image(shape);
    const double turn = 2 * std::acos(-1.0);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double y = std::cos(turn * (static_cast<double>(r) - dy) / high),
                         x = std::cos(turn * (static_cast<double>(c) - dx) / wide);
            image.at(r, c) = static_cast<float>(std::exp(y + x - 2));
        }
    }
    return image;
}

bool has(const std::vector<Peak>& found, double dy, double dx, double within = 0.2) {
    return std::any_of(found.begin(), found.end(), [&](const Peak& p) {
        return std::hypot(static_cast<double>(p.dy) - dy, static_cast<double>(p.dx) - dx) < within;
    });
}

}  // namespace

TEST(the_highest_peak_is_the_drift_between_pixels) {
    for (const Shape shape : {Shape{64, 48}, Shape{61, 53}}) {
        const Frame a = frame(hill(shape, 30, 22)), b = frame(hill(shape, 34.4, 16.7));
        const std::vector<Peak> found = peaks(a, b, {20, 16}, 5, 1);
        CHECK(!found.empty() && found.size() <= 5);
        if (found.empty()) continue;
        CHECK_NEAR(found[0].dy, 4.4, 0.1);
        CHECK_NEAR(found[0].dx, -5.3, 0.1);
    }
}

TEST(a_crystal_has_a_peak_for_every_lattice_vector_in_reach) {
    const Shape shape{120, 120};
    const Frame a = frame(crystal(shape, 0, 0)), b = frame(crystal(shape, 3, -2));
    const std::vector<Peak> found = peaks(a, b, {24, 24}, 100, 1);
    for (const double dy : {-17.0, -7.0, 3.0, 13.0, 23.0}) {
        for (const double dx : {-14.0, -2.0, 10.0, 22.0}) CHECK(has(found, dy, dx));
    }
    for (std::size_t i = 1; i < found.size(); ++i) CHECK(found[i].height <= found[i - 1].height);
    for (const Peak& p : found) CHECK(std::abs(p.dy) < 25 && std::abs(p.dx) < 25);
    CHECK(peaks(a, b, {24, 24}, 3, 1).size() == 3);
    CHECK(!has(peaks(a, b, {9, 24}, 100, 1), 13, -2));
}

TEST(every_other_pixel_is_enough_where_frames_show_nothing_finer) {
    for (const Shape shape : {Shape{120, 160}, Shape{150, 122}}) {
        for (const double moved : {0.0, 0.3, 0.5, 0.8, 1.1}) {
            const Frame a = frame(crystal(shape, 0, 0)), b = frame(crystal(shape, moved, -moved));
            CHECK(a.band_passed().step == 2 && b.band_passed().step == 2);
            const std::vector<Peak> found = peaks(a, b, {20, 15}, 100, 1);
            CHECK(has(found, moved, -moved, 0.03));
            // Less overlap draws the others a little nearer.
            for (const double dy : {-10.0, 0.0, 10.0}) {
                for (const double dx : {-12.0, 0.0, 12.0}) {
                    CHECK(has(found, dy + moved, dx - moved, 0.1));
                }
            }
        }
    }
}

TEST(columns_a_few_pixels_apart_need_every_pixel) {
    const Shape shape{128, 128};
    const Frame a = frame(crystal(shape, 0, 0, 4.3, 12)), b = frame(crystal(shape, 1, 2, 4.3, 12));
    CHECK(a.band_passed().step == 1);
    const std::vector<Peak> found = peaks(a, b, {10, 10}, 100, 1);
    for (const double dy : {-7.6, -3.3, 1.0, 5.3, 9.6}) CHECK(has(found, dy, 2));
}

TEST(a_frame_that_shows_more_than_the_other_is_cut_down) {
    const Shape shape{128, 128};
    const Frame scene = frame(hill(shape, 60, 60)), fine = frame(crystal(shape, 0, 0, 4.3, 12));
    CHECK(scene.band_passed().step == 2 && fine.band_passed().step == 1);
    const auto ahead = peaks(scene, fine, {20, 20}, 5, 1),
               back = peaks(fine, scene, {20, 20}, 5, 1);
    CHECK(!ahead.empty() && !back.empty());
    for (const Peak& p : ahead) {
        if (std::abs(p.dy) < 18 && std::abs(p.dx) < 18) CHECK(has(back, -p.dy, -p.dx, 0.01));
    }
}

TEST(a_flat_frame_has_no_peaks) {
    const Frame flat = frame(reference::Image<float>({32, 32})),
                scene = frame(hill({32, 32}, 9, 9));
    CHECK(peaks(flat, flat, {8, 8}, 9, 1).empty());
    CHECK(peaks(scene, flat, {8, 8}, 9, 1).empty());
}

TEST(peaks_need_frames_of_one_shape) {
    const Frame a = frame(hill({32, 32}, 9, 9)), b = frame(hill({32, 40}, 9, 9));
    CHECK_THROWS(peaks(a, b, {8, 8}, 9, 1), std::invalid_argument, "expected frames of one shape");
}

TEST(the_correlation_of_an_overlap_is_pearsons) {
    const auto a = reference::noise<float>({40, 33}, 1), b = reference::shifted(a, 6, -4, 2);
    const Frame fa = frame(a), fb = frame(b);
    CHECK_NEAR(overlap_correlation(fa, fb, 6.3, -4.2), 1, 1e-5);
    for (const int dy : {-9, 0, 13}) {
        for (const int dx : {-20, 3}) {
            CHECK_NEAR(overlap_correlation(fa, fb, dy, dx),
                       reference::direct_lag(a, b, dy, dx, 2, {}), 1e-5);
        }
    }
    CHECK(overlap_correlation(fa, fb, 40, 0) == 0);
    CHECK(overlap_correlation(fa, fb, 0, -33) == 0);
    CHECK(overlap_correlation(fa, frame(reference::Image<float>({40, 33})), 0, 0) == 0);
}

TEST(no_overlap_is_asked_for_at_a_drift_that_is_no_number) {
    const Frame a = frame(reference::noise<float>({40, 33}, 1));
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(),
                     infinity = std::numeric_limits<double>::infinity();
    for (const double bad : {nan, infinity, -infinity}) {
        CHECK_THROWS(overlap_correlation(a, a, bad, 0), std::invalid_argument,
                     "expected two finite numbers of pixels");
        CHECK_THROWS(overlap_correlation(a, a, 0, bad), std::invalid_argument,
                     "expected two finite numbers of pixels");
    }
    CHECK(overlap_correlation(a, a, 1e300, 0) == 0);
    CHECK(overlap_correlation(a, a, 0, -1e300) == 0);
    CHECK(overlap_correlation(a, a, 39.7, 0) == 0);
}

TEST(an_overlap_needs_frames_of_one_shape) {
    const Frame a = frame(hill({32, 32}, 9, 9)), b = frame(hill({24, 24}, 9, 9));
    CHECK_THROWS(overlap_correlation(a, b, 0, 0), std::invalid_argument,
                 "expected frames of one shape");
}
