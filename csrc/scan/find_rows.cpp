#include "scan/find_rows.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "core/number_text.hpp"
#include "core/parallel.hpp"
#include "scan/displacement_prior.hpp"
#include "scan/row_estimates.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::size_t least_columns = 16;  // beside those that a displacement may take out of view
constexpr double least_variance = 1e-4;    // px^2, of a prior that narrows the search
constexpr double least_limit = 1;          // px, of displacements that are plausible
constexpr std::size_t grain = 4;
constexpr int rounds = 2;
constexpr std::size_t rows_a_report = 64;

void check(const float* pilot, Shape shape, const RowOptions& options) {
    const std::size_t columns = 2 * (options.reach.x + 5) + least_columns;
    const std::size_t rows = std::max<std::size_t>(2 * options.reach.y + 1, 4);
    if (options.reach.x == 0) {
        throw std::invalid_argument("reach along rows is 0; expected at least 1 pixel");
    }
    if (!(options.slow >= 0 && options.slow <= 1e6)) {
        throw std::invalid_argument("slow is " + number_text(options.slow) +
                                    "; expected 0 to a million rows");
    }
    if (shape.rows < rows || shape.cols < columns) {
        throw std::invalid_argument(
            "image is " + shape.text() + "; a reach of (" + std::to_string(options.reach.y) + ", " +
            std::to_string(options.reach.x) + ") px needs at least " + std::to_string(rows) +
            " rows and " + std::to_string(columns) + " columns");
    }
    const auto unknown =
        std::count_if(pilot, pilot + shape.size(), [](float v) { return !std::isfinite(v); });
    if (unknown > 0) {
        throw std::invalid_argument("pilot has " + std::to_string(unknown) +
                                    " pixels that are not finite; expected a clean image");
    }
}

// Five standard deviations of the rows' displacements, by their median: a row that only fits the
// pilot farther off does not fit it, as at an edge where the pilot is wrong.
double plausible(const RowEstimates& rows, double limit) {
    std::vector<double> lengths;
    for (std::size_t row = 0; row < rows.value.size(); ++row) {
        if (rows.information[row] > 0) lengths.push_back(std::abs(rows.value[row]));
    }
    if (lengths.empty()) return limit;
    const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
    std::nth_element(lengths.begin(), middle, lengths.end());
    return std::min(limit, std::max(5 * 1.4826 * *middle, least_limit));
}

// The row's highest maximum of the posterior. Across rows there may be several: a row through the
// middle of columns looks alike on either side, and half a pixel of the grid may decide.
RowFit highest(const RowLikelihood& likelihood, std::size_t row, const std::vector<Pair>& starts,
               const NoiseModel& noise, Pair precision) {
    const auto height = [precision](const RowFit& f) {
        return f.likelihood - 0.5 * (precision.y * f.at.y * f.at.y + precision.x * f.at.x * f.at.x);
    };
    RowFit best = likelihood.refine(row, starts[0], noise, precision);
    for (std::size_t k = 1; k < starts.size(); ++k) {
        const RowFit fit = likelihood.refine(row, starts[k], noise, precision);
        if (height(fit) > height(best)) best = fit;
    }
    return best;
}

// Tells how far it is: the search counts as much as a round, of `rows` rows each.
class Report {
  public:
    Report(const Progress& progress, std::size_t rows)
        : progress_(progress), total_((1 + rounds) * rows) {}

    void add(std::size_t rows) {
        done_ += rows;
        if (progress_ && !progress_(done_, total_)) throw Cancelled();
    }

  private:
    const Progress& progress_;
    std::size_t done_ = 0, total_;
};

// Calls f(row) for every row, by several threads, and reports from this one.
template <typename F>
void each_row(std::size_t rows, const RowOptions& options, Report& report, const F& f) {
    const std::size_t at_once = options.progress ? rows_a_report : rows;
    for (std::size_t first = 0; first < rows; first += at_once) {
        const std::size_t count = std::min(at_once, rows - first);
        parallel_for(count, options.threads, grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = first + begin; row < first + end; ++row) f(row);
        });
        report.add(count);
    }
}

double precision_of(const DisplacementPrior& prior) {
    return 1 / std::max(prior.variance, least_variance);
}

}  // namespace

Rows find_rows(const float* image, const float* pilot, Shape shape, const RowOptions& options) {
    check(pilot, shape, options);
    RowLikelihood likelihood(image, pilot, shape, options.reach, options.threads);
    std::vector<RowFit> fits;
    RowEstimates along_y, along_x;
    DisplacementPrior prior_y, prior_x;
    const auto wide = [](std::size_t reach) {
        return 9 / std::max(static_cast<double>(reach * reach), 0.25);
    };
    const Pair weak{wide(options.reach.y), wide(options.reach.x)};
    Pair precision = weak;
    Pair limit{static_cast<double>(options.reach.y) + 1, static_cast<double>(options.reach.x) + 1};
    Report report(options.progress, shape.rows);
    likelihood.search(likelihood.noise(fits));
    report.add(shape.rows);
    // Until rows are near their places, what their displacement leaves looks like coloured noise.
    fits.resize(shape.rows);
    for (std::size_t row = 0; row < shape.rows; ++row)
        fits[row].at = likelihood.maxima(row, weak, limit)[0];
    NoiseModel noise = likelihood.noise(fits);
    noise.coloured = false;
    for (int round = 0; round < rounds; ++round) {
        if (round > 0) noise = likelihood.noise(fits);
        std::vector<RowFit> found(shape.rows);
        each_row(shape.rows, options, report, [&](std::size_t row) {
            std::vector<Pair> starts = likelihood.maxima(row, precision, limit);
            const Pair last = fits[row].at;
            const double away = std::hypot(starts[0].y - last.y, starts[0].x - last.x);
            if (round > 0 && away < 1) starts[0] = last;
            found[row] = highest(likelihood, row, starts, noise, precision);
        });
        fits = std::move(found);
        row_estimates(fits, weak, limit, along_y, along_x);
        limit = {plausible(along_y, limit.y), plausible(along_x, limit.x)};
        prior_x = fit_prior(along_x);
        if (options.reach.y > 0) prior_y = fit_prior(along_y);
        precision = {precision_of(prior_y), precision_of(prior_x)};
    }
    std::vector<double> y, x, sigma_y, sigma_x;
    smooth(along_y, prior_y, y, sigma_y);
    smooth(along_x, prior_x, x, sigma_x);
    leave_distortion(y, options.slow);
    leave_distortion(x, options.slow);
    Rows rows;
    rows.evidence = {prior_y.evidence, prior_x.evidence};
    rows.common_evidence = {prior_y.common_evidence, prior_x.common_evidence};
    rows.memory = {prior_y.memory, prior_x.memory};
    rows.noise = noise.level;
    for (std::size_t row = 0; row < shape.rows; ++row) {
        const bool known_y = along_y.information[row] > 0, known_x = along_x.information[row] > 0;
        rows.displacement.push_back({known_y ? y[row] : 0, known_x ? x[row] : 0});
        rows.sigma.push_back({sigma_y[row], sigma_x[row]});
    }
    return rows;
}

}  // namespace stemzoo::scan
