// Scans in two directions: splats, local correlations, smooth paths, and the merge of all.
#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "drift/estimator.hpp"
#include "ncc_reference.hpp"
#include "scan/local_correlation.hpp"
#include "scan/merge_scans.hpp"
#include "scan/path_smoother.hpp"
#include "scan/splat.hpp"

namespace {

using stemzoo::Shape;
using stemzoo::scan::Pair;
using stemzoo::scan::Placement;
using stemzoo::scan::RowEstimates;
using stemzoo::scan::Scan;

// Blobs that never repeat, smooth enough for a grid of pixels.
float specimen(double y, double x) {
    double sum = 20;
    for (int k = 0; k < 70; ++k) {
        const double cy = std::fmod(37.3 * k, 150.0) - 20,
                     cx = std::fmod(61.7 * k + 11, 150.0) - 20;
        const double away = (y - cy) * (y - cy) + (x - cx) * (x - cx);
        sum += (60 + 3.0 * (k % 11)) * std::exp(-away / 18);
    }
    return static_cast<float>(sum);
}

constexpr Shape shape{112, 112};

std::vector<Pair> bent(double phase) {
    std::vector<Pair> path;
    for (std::size_t y = 0; y < shape.rows; ++y) {
        const double t = static_cast<double>(y) / 111;
        path.push_back({1.5 * t * std::cos(phase), 2 * t * t + std::sin(3 * t + phase)});
    }
    return path;
}

struct Recorded {
    Recorded(double angle, std::vector<Pair> path) : pixels(shape.size()) {
        scan = {pixels.data(), shape, angle, std::move(path), {}, {}, {}};
        const Placement placement(scan, shape);
        for (std::size_t y = 0; y < shape.rows; ++y) {
            for (std::size_t x = 0; x < shape.cols; ++x) {
                const Pair d = scan.path[y];
                const Pair at = placement.to_picture(
                    {static_cast<double>(y) + d.y, static_cast<double>(x) + d.x});
                pixels[y * shape.cols + x] = specimen(at.y, at.x);
            }
        }
    }
    std::vector<float> pixels;
    Scan scan;
};

RowEstimates measured(const std::vector<double>& place, double sigma, std::uint32_t seed) {
    const auto noise = reference::noise<float>({place.size(), 1}, seed, 0, sigma);
    RowEstimates rows;
    for (std::size_t y = 0; y < place.size(); ++y) {
        rows.value.push_back(place[y] + static_cast<double>(noise.pixels[y]));
        rows.information.push_back(1 / (sigma * sigma));
    }
    return rows;
}

RowEstimates unknown(std::size_t count) {
    return {std::vector<double>(count), std::vector<double>(count)};
}

}  // namespace

TEST(quarter_turns_place_pixels_on_pixels) {
    const Scan turned{nullptr, {4, 6}, 90, std::vector<Pair>(4), {}, {}, {}};
    const Placement placement(turned, {6, 4});
    // numpy.rot90: turned[y, x] = picture[x, columns - 1 - y].
    const Pair at = placement.to_picture({1, 5});
    CHECK(at.y == 5 && at.x == 2);
    const Pair back = placement.to_scan(at);
    CHECK(back.y == 1 && back.x == 5);
    const Scan slanted{nullptr, {4, 6}, 33, std::vector<Pair>(4), {}, {}, {}};
    const Placement other(slanted, {6, 4});
    const Pair there = other.to_scan(other.to_picture({0.3, 4.7}));
    CHECK_NEAR(there.y, 0.3, 1e-12);
    CHECK_NEAR(there.x, 4.7, 1e-12);
}

TEST(splats_keep_samples_for_any_number_of_threads) {
    const Recorded one(90, bent(1)), other(30, bent(2));
    stemzoo::scan::Splat serial(shape), threaded(shape);
    for (const auto* each : {&one, &other}) {
        stemzoo::scan::add(each->scan, serial, 1);
        stemzoo::scan::add(each->scan, threaded, 5);
    }
    CHECK(serial.sum == threaded.sum);
    CHECK(serial.weight == threaded.weight);
    const std::size_t middle = 56 * shape.cols + 56;
    CHECK_NEAR(serial.weight[middle], 2, 0.4);
    CHECK_NEAR(serial.sum[middle] / serial.weight[middle], specimen(56, 56), 3);
}

TEST(local_correlations_find_a_displacement) {
    std::vector<float> first, second;
    for (std::size_t y = 0; y < shape.rows; ++y) {
        for (std::size_t x = 0; x < shape.cols; ++x) {
            const auto fy = static_cast<double>(y), fx = static_cast<double>(x);
            first.push_back(specimen(fy, fx));
            second.push_back(specimen(fy - 3, fx + 2));
        }
    }
    stemzoo::scan::Windows windows{56, 6, 0, 0};
    for (const auto& local : stemzoo::scan::correlate(first, second, shape, windows, 2)) {
        CHECK(local.value({3, -2}) > local.value({2, -2}));
        CHECK(local.value({3, -2}) > local.value({3, -3}));
        CHECK(local.value({3, -2}) > 0.8);
    }
    stemzoo::scan::correlate_whole(first, second, shape, {20, 20}, windows, 1);
    CHECK(windows.y == 3 && windows.x == -2);
    const std::vector<float> blank(shape.size(), 5);
    CHECK(stemzoo::scan::correlate(blank, blank, shape, windows, 1).empty());
}

TEST(a_smooth_path_is_told_from_noise_and_from_jitter) {
    std::vector<double> drift;
    for (int y = 0; y < 400; ++y) drift.push_back(5 * std::sin(y / 90.0));
    const auto quiet = stemzoo::scan::smooth_path(measured(drift, 0.3, 5), unknown(400));
    double square = 0;
    for (std::size_t y = 0; y < 400; ++y) {
        square += std::pow(quiet.drift[y] + quiet.jitter[y] - drift[y], 2) / 400;
    }
    CHECK(std::sqrt(square) < 0.1);
    CHECK(quiet.model.jumps.empty());
    CHECK(quiet.model.jitter < 0.02);
    CHECK(quiet.sigma[200] < 0.12);

    const auto noise = reference::noise<float>({400, 1}, 9, 0, 0.5);
    std::vector<double> place = drift;
    for (std::size_t y = 0; y < 400; ++y) place[y] += static_cast<double>(noise.pixels[y]);
    const auto shaken = stemzoo::scan::smooth_path(measured(place, 0.1, 6), unknown(400));
    CHECK_NEAR(shaken.model.jitter, 0.25, 0.06);
    CHECK_NEAR(shaken.drift[200] + shaken.jitter[200], place[200], 0.35);
    CHECK_NEAR(shaken.sigma[200], 0.1, 0.01);
}

TEST(a_jump_stays_a_jump) {
    std::vector<double> place(300, 0.0);
    for (std::size_t y = 140; y < 300; ++y) place[y] = 3;
    const auto found = stemzoo::scan::smooth_path(measured(place, 0.1, 7), unknown(300));
    CHECK(found.model.jumps == std::vector<std::size_t>{140});
    CHECK_NEAR(found.drift[138] + found.jitter[138], 0, 0.1);
    CHECK_NEAR(found.drift[141] + found.jitter[141], 3, 0.1);
}

TEST(rows_of_which_nothing_is_known_are_extrapolated) {
    std::vector<double> place;
    for (int y = 0; y < 200; ++y) place.push_back(0.02 * y);
    auto rows = measured(place, 0.05, 8);
    for (std::size_t y = 180; y < 200; ++y) rows.information[y] = 0;
    const auto found = stemzoo::scan::smooth_path(rows, unknown(200));
    CHECK_NEAR(found.drift[195], place[195], 0.1);
    CHECK(found.sigma[195] > found.sigma[100]);
    const auto none = stemzoo::scan::smooth_path(unknown(10), unknown(10));
    CHECK(std::isinf(none.sigma[3]) && none.drift[3] == 0);
}

TEST(scans_of_two_directions_are_merged) {
    const Recorded one(0, bent(0)), other(90, bent(2));
    const stemzoo::drift::Estimator estimator(shape, stemzoo::drift::Estimator::usual_reach(shape));
    std::vector<Scan> scans{one.scan, other.scan};
    for (Scan& scan : scans) scan.path.assign(shape.rows, {});
    const auto merge = stemzoo::scan::merge_scans(scans, estimator, 2);
    Pair shift[2];
    for (const std::size_t k : {0, 1}) {
        const auto& truth = k == 0 ? one.scan.path : other.scan.path;
        const Placement placement(scans[k], shape);
        for (const std::size_t row : {30, 56, 90}) {
            const Pair d = merge.paths[k][row];
            const Pair error = placement.turned({d.y - truth[row].y, d.x - truth[row].x});
            if (k == 0 && row == 30) shift[0] = error;
            CHECK_NEAR(error.y, shift[0].y, 0.12);
            CHECK_NEAR(error.x, shift[0].x, 0.12);
        }
    }
    CHECK(!merge.placing.ambiguous());
    const std::size_t middle = 50 * shape.cols + 60;
    CHECK_NEAR(merge.picture[middle], specimen(50 - shift[0].y, 60 - shift[0].x), 3);
    Scan again = other.scan;
    again.path = merge.paths[1];
    CHECK_NEAR(stemzoo::scan::residual(merge.whole, shape, again, 2)[middle], 0, 3);
    CHECK_NEAR(merge.coverage[middle], 2, 0.4);
}

TEST(merging_refuses_what_it_cannot_use) {
    using Error = std::invalid_argument;
    const Recorded one(0, bent(0));
    const stemzoo::drift::Estimator estimator(shape, stemzoo::drift::Estimator::usual_reach(shape));
    const auto merge = [&](std::vector<Scan> scans) {
        return stemzoo::scan::merge_scans(std::move(scans), estimator, 1).picture;
    };
    Scan opposite = one.scan, small = one.scan, odd = one.scan;
    opposite.angle = 180;
    small.shape = {40, 112};
    odd.angle = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS(merge({one.scan}), Error, "got 1 scan(s)");
    CHECK_THROWS(merge({one.scan, opposite}), Error, "in one direction");
    CHECK_THROWS(merge({one.scan, small}), Error, "at least 64");
    CHECK_THROWS(merge({one.scan, odd}), Error, "not finite");
}
