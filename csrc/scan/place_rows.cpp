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

constexpr double least_known = 0.1;  // of a row, from which on it is placed
constexpr double least_seen = 0.5;   // of a row, from which on the others place it
constexpr float seen = 0.25f;        // samples of the others from which on a pixel counts
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

// Moves what rows alone tell from `rows`, as displacements from where they lie, into the jitter
// that is known apart; the others' become places.
RowEstimates set_apart(RowEstimates& rows, const std::vector<bool>& alone,
                       const std::vector<double>& place, const std::vector<double>& jitter) {
    RowEstimates apart{std::vector<double>(place.size()), std::vector<double>(place.size())};
    for (std::size_t y = 0; y < place.size(); ++y) {
        if (alone[y]) {
            apart.value[y] = rows.value[y] + jitter[y];
            apart.information[y] = std::exchange(rows.information[y], 0);
        }
        rows.value[y] += place[y];
    }
    return apart;
}

}  // namespace

std::vector<Pair> place_rows(Scan& scan, const Splat& own, const Splat& others, Reach reach,
                             unsigned threads) {
    const Compared given = compared(scan, own, others, threads);
    const Shape shape = scan.shape;
    RowLikelihood likelihood(given.image.data(), given.pilot.data(), shape, reach, threads);
    NoiseModel noise = likelihood.noise({});
    const Pair precision{1 / std::pow(static_cast<double>(reach.y) + 1, 2),
                         1 / std::pow(static_cast<double>(reach.x) + 1, 2)};
    const Pair limit{static_cast<double>(reach.y) + 1, static_cast<double>(reach.x) + 1};
    const bool search = reach.x > 1;
    if (search) {
        noise.coloured = false;  // rows out of place leave what looks like coloured noise
        likelihood.search(noise);
    }
    std::vector<RowFit> fits(shape.rows);
    parallel_for(shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            const Pair start = search ? likelihood.maxima(row, precision, limit)[0] : Pair{};
            fits[row] = likelihood.refine(row, start, noise, precision);
        }
    });
    RowEstimates y, x;
    row_estimates(fits, precision, limit, y, x);
    for (std::size_t row = 0; row < shape.rows; ++row) {
        const float* const line = given.image.data() + row * shape.cols;
        const auto known =
            std::count_if(line, line + shape.cols, [](float v) { return std::isfinite(v); });
        if (static_cast<double>(known) < least_known * static_cast<double>(shape.cols)) {
            y.information[row] = x.information[row] = 0;
        }
    }
    scan.jitter.resize(shape.rows);
    std::vector<Pair> sigma(shape.rows);
    for (double Pair::* axis : {&Pair::y, &Pair::x}) {
        std::vector<double> place, jitter;
        for (std::size_t row = 0; row < shape.rows; ++row) {
            place.push_back(scan.path[row].*axis);
            jitter.push_back(scan.jitter[row].*axis);
        }
        RowEstimates& rows = axis == &Pair::y ? y : x;
        const RowEstimates apart = set_apart(rows, given.alone, place, jitter);
        const SmoothPath found = smooth_path(rows, apart);
        for (std::size_t row = 0; row < shape.rows; ++row) {
            scan.path[row].*axis = found.drift[row] + found.jitter[row];
            scan.jitter[row].*axis = found.jitter[row];
            sigma[row].*axis = found.sigma[row];
        }
    }
    return sigma;
}

}  // namespace stemzoo::scan
