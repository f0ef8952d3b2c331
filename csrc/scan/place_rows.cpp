#include "scan/place_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.hpp"
#include "scan/cubic_spline.hpp"
#include "scan/path_smoother.hpp"
#include "scan/predict.hpp"
#include "scan/row_estimates.hpp"

namespace stemzoo::scan {
namespace {

constexpr double least_known = 0.1;  // of a row, from which on it is placed
constexpr std::size_t grain = 4;
constexpr float nothing = std::numeric_limits<float>::quiet_NaN();

// What the others show at the scan's places, and the scan where they show something.
struct Compared {
    std::vector<float> image, pilot;
};

Compared compared(const Scan& scan, const Splat& own, const Splat& others, unsigned threads) {
    std::vector<float> picture = predict(own, others, threads);
    const Shape shape = own.shape;
    spline(picture.data(), shape, threads);
    Compared result{std::vector<float>(scan.shape.size()), std::vector<float>(scan.shape.size())};
    sample(picture.data(), shape, scan, result.pilot.data(), threads);
    double total = 0, count = 0;
    for (std::size_t i = 0; i < scan.shape.size(); ++i) {
        const bool known = std::isfinite(result.pilot[i]);
        result.image[i] = known ? scan.pixels[i] : nothing;
        if (!known) continue;
        total += static_cast<double>(result.pilot[i]);
        count += 1;
    }
    const auto mean = static_cast<float>(count > 0 ? total / count : 0);
    for (float& value : result.pilot) value = std::isfinite(value) ? value : mean;
    return result;
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
        const auto known = std::count_if(line, line + shape.cols,
                                         [](float v) { return std::isfinite(v); });
        if (static_cast<double>(known) < least_known * static_cast<double>(shape.cols)) {
            y.information[row] = x.information[row] = 0;
        }
        y.value[row] += scan.path[row].y;
        x.value[row] += scan.path[row].x;
    }
    const SmoothPath down = smooth_path(y), right = smooth_path(x);
    std::vector<Pair> sigma;
    for (std::size_t row = 0; row < shape.rows; ++row) {
        scan.path[row] = {down.place[row], right.place[row]};
        sigma.push_back({down.sigma[row], right.sigma[row]});
    }
    return sigma;
}

}  // namespace stemzoo::scan
