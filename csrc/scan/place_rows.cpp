#include "scan/place_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/parallel.hpp"
#include "scan/cubic_spline.hpp"
#include "scan/path_smoother.hpp"
#include "scan/predict.hpp"
#include "scan/row_estimates.hpp"

namespace stemzoo::scan {
namespace {

constexpr double least_known = 0.1;      // of a row, from which on it is placed
constexpr double least_seen = 0.5;       // of a row, from which on the others place it
constexpr float seen = 0.25f;            // samples of the others from which on a pixel counts
constexpr double least_variance = 1e-4;  // px^2, of a prior that narrows the search
constexpr Reach widest{1, 5};
// px^2: variance of rows about the drift as first known. Across rows there is none until rows show
// it: a row through the middle of columns looks alike on either side, and would seem to jitter.
constexpr Pair first_spread{0, 4};
// A free gain of each row hides where it lies across. Rows that are known to jitter by more than
// this variance (px^2) have gains and offsets alike, to 3 % of the contrast. Of other rows, what
// the picture lacks would pass for jitter.
constexpr double shaken_from = 0.04, level_precision = 1e3;
constexpr double far = 20;  // px: more jitter than rows have
constexpr std::size_t grain = 4;
constexpr float nothing = std::numeric_limits<float>::quiet_NaN();

// The scan, and what the others show at its places. Rows that the others do not show are compared
// with their own neighbours, `alone`: that tells their jitter, but not where all of them drifted.
struct Compared {
    std::vector<float> image, pilot;
    std::vector<bool> alone;
};

Compared compared(const Scan& scan, const Splat& own, const Splat& others, unsigned threads) {
    std::vector<float> picture = predict(own, others, threads);
    const Shape shape = own.shape;
    const std::size_t cols = scan.shape.cols;
    spline(picture.data(), shape, threads);
    Compared result{std::vector<float>(scan.pixels, scan.pixels + scan.shape.size()),
                    std::vector<float>(scan.shape.size()), std::vector<bool>(scan.shape.rows)};
    sample(picture.data(), shape, scan, result.pilot.data(), threads);
    const Placement placement(scan, shape);
    const Pair step = placement.step();
    std::vector<bool> shown(cols);
    double total = 0, count = 0;
    for (std::size_t row = 0; row < scan.shape.rows; ++row) {
        const Pair d = scan.path[row];
        const Pair start = placement.to_picture({static_cast<double>(row) + d.y, d.x});
        float* const pilot = result.pilot.data() + row * cols;
        for (std::size_t x = 0; x < cols; ++x) {
            const auto py = std::lround(start.y + static_cast<double>(x) * step.y),
                       px = std::lround(start.x + static_cast<double>(x) * step.x);
            shown[x] =
                std::isfinite(pilot[x]) && others.weight[static_cast<std::size_t>(py) * shape.cols +
                                                         static_cast<std::size_t>(px)] >= seen;
        }
        const auto many = static_cast<double>(std::count(shown.begin(), shown.end(), true));
        result.alone[row] = many < least_seen * static_cast<double>(cols);
        for (std::size_t x = 0; x < cols; ++x) {
            if (std::isfinite(pilot[x])) {
                total += static_cast<double>(pilot[x]);
                count += 1;
            }
            const bool known = result.alone[row] ? std::isfinite(pilot[x]) : bool(shown[x]);
            if (!known) result.image[row * cols + x] = nothing;
        }
    }
    const auto mean = static_cast<float>(count > 0 ? total / count : 0);
    for (float& value : result.pilot) value = std::isfinite(value) ? value : mean;
    return result;
}

std::size_t farthest(const std::vector<Pair>& jitter) {
    double most = 0;
    for (const Pair& each : jitter) most = std::max(most, std::abs(each.x));
    return static_cast<std::size_t>(std::ceil(std::min(most, far))) + 1;
}

// The scan along its drift alone.
Scan without_jitter(const Scan& scan) {
    Scan drifting = scan;
    drifting.jitter.resize(scan.shape.rows);
    for (std::size_t row = 0; row < scan.shape.rows; ++row) {
        drifting.path[row].y -= drifting.jitter[row].y;
        drifting.path[row].x -= drifting.jitter[row].x;
    }
    return drifting;
}

// Moves what rows tell of themselves alone from `rows`, which are displacements from the drift,
// into the jitter that is known apart; the others' become places.
RowEstimates set_apart(RowEstimates& rows, const std::vector<bool>& alone,
                       const std::vector<Pair>& drift, double Pair::* axis) {
    RowEstimates apart = rows;
    for (std::size_t y = 0; y < drift.size(); ++y) {
        (alone[y] ? rows : apart).information[y] = 0;
        rows.value[y] += drift[y].*axis;
    }
    return apart;
}

double precision_of(double variance) { return 1 / std::max(variance, least_variance); }

// No farther from the drift than three standard deviations.
Pair within(Pair at, Pair precision) {
    const double y = 3 / std::sqrt(precision.y), x = 3 / std::sqrt(precision.x);
    return {std::clamp(at.y, -y, y), std::clamp(at.x, -x, x)};
}

// Rows of which hardly a pixel can be compared say nothing.
void forget_unknown(const std::vector<float>& image, Shape shape, RowEstimates& y,
                    RowEstimates& x) {
    for (std::size_t row = 0; row < shape.rows; ++row) {
        const float* const line = image.data() + row * shape.cols;
        const auto known =
            std::count_if(line, line + shape.cols, [](float v) { return std::isfinite(v); });
        if (static_cast<double>(known) < least_known * static_cast<double>(shape.cols)) {
            y.information[row] = x.information[row] = 0;
        }
    }
}

}  // namespace

std::vector<Pair> place_rows(Scan& scan, const Splat& own, const Splat& others, Search search,
                             unsigned threads) {
    const Scan drifting = without_jitter(scan);
    const Compared given = compared(drifting, own, others, threads);
    const Shape shape = scan.shape;
    const Reach reach = search == Search::wide ? widest : Reach{1, farthest(drifting.jitter)};
    RowLikelihood likelihood(given.image.data(), given.pilot.data(), shape, reach, threads);
    const Pair limit{static_cast<double>(reach.y) + 1, static_cast<double>(reach.x) + 1};
    const Pair weak{precision_of(first_spread.y), precision_of(first_spread.x)};
    Pair precision = weak;
    std::vector<RowFit> fits(shape.rows);
    for (std::size_t row = 0; row < shape.rows; ++row) fits[row].at = drifting.jitter[row];
    if (search == Search::wide) {
        likelihood.search(likelihood.noise({}));
        for (std::size_t row = 0; row < shape.rows; ++row) {
            fits[row].at = likelihood.maxima(row, weak, limit)[0];
        }
    } else {
        precision = {precision_of(scan.shaking.y), precision_of(scan.shaking.x)};
    }
    const bool shaken = search == Search::narrow && scan.shaking.y > shaken_from;
    scan.jitter.resize(shape.rows);
    std::vector<Pair> sigma(shape.rows);
    // How far rows jitter, which the first round finds, tells what is plausible.
    for (int round = 0; round < 2; ++round) {
        const bool known = search == Search::narrow && scan.shaking.y < least_variance;
        if (round > 0 && known) break;
        NoiseModel noise = likelihood.noise(fits);
        // Rows out of place leave what looks like coloured noise.
        if (search == Search::wide) noise.coloured = false;
        if (shaken) noise.level_precision = level_precision;
        parallel_for(shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                const Pair start = within(fits[row].at, precision);
                fits[row] = likelihood.refine(row, start, noise, precision);
            }
        });
        RowEstimates y, x;
        row_estimates(fits, weak, limit, y, x);
        forget_unknown(given.image, shape, y, x);
        for (double Pair::* axis : {&Pair::y, &Pair::x}) {
            RowEstimates& rows = axis == &Pair::y ? y : x;
            const RowEstimates apart = set_apart(rows, given.alone, drifting.path, axis);
            const SmoothPath found = smooth_path(rows, apart);
            for (std::size_t row = 0; row < shape.rows; ++row) {
                scan.path[row].*axis = found.drift[row] + found.jitter[row];
                scan.jitter[row].*axis = found.jitter[row];
                sigma[row].*axis = found.sigma[row];
            }
            scan.shaking.*axis = found.model.jitter;
        }
        precision = {precision_of(scan.shaking.y), precision_of(scan.shaking.x)};
        for (std::size_t row = 0; row < shape.rows; ++row) {
            fits[row].at = within(scan.jitter[row], precision);
        }
    }
    return sigma;
}

}  // namespace stemzoo::scan
