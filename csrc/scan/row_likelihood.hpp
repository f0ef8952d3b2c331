// Likelihood of a row's counts as a function of where the row was scanned.
//
// A row recorded at (y + dy, x + dx) of the specimen has the quasi-log-likelihood
//     sum over x of Q(n[y, x], p(y + dy, x + dx)),  dQ/dp = (n - p) / variance(p),
// with p a clean estimate of the specimen (the pilot) between pixels by cubic B-splines. Where the
// variance is proportional to the mean this is the Poisson likelihood, where it is constant the
// Gaussian one (Wedderburn, Biometrika 61, 1974).
#pragma once

#include <cstddef>
#include <vector>

#include "core/array.hpp"
#include "core/scratch.hpp"
#include "scan/noise_model.hpp"

namespace stemzoo::scan {

// Across rows (y) and along them (x, the fast direction).
struct Pair {
    double y = 0, x = 0;
};

// How far displacements are searched, in whole pixels.
struct Reach {
    std::size_t y = 0, x = 0;
};

// At the displacement `at`: the log-likelihood but for a constant, its derivative and the Fisher
// information.
struct RowFit {
    Pair at, score;
    double likelihood = 0;
    double yy = 0, yx = 0, xx = 0;
    double misfit = 1;  // mean square of the residual over that of the noise
};

class RowLikelihood {
  public:
    // Pixels of the image that are not finite, and rows of a single value, say nothing.
    RowLikelihood(const float* image, const float* pilot, Shape shape, Reach reach,
                  unsigned threads);

    NoiseModel noise(const std::vector<RowFit>& rows) const;  // empty: no displacements

    // Evaluates every displacement on a grid of whole pixels across rows and half ones along.
    void search(const NoiseModel& noise);

    // Maxima of the posterior on the grid, the highest first, under a Gaussian prior of this
    // precision, 1 / px^2, no displacement beyond `limit`. Those that follow are maxima across
    // rows.
    std::vector<Pair> maxima(std::size_t row, Pair precision, Pair limit) const;

    // The maximum of the posterior near `start`, by Fisher scoring.
    RowFit refine(std::size_t row, Pair start, const NoiseModel& noise, Pair precision) const;

  private:
    struct Lines;
    std::size_t steps_y() const { return 2 * reach_.y + 1; }
    std::size_t steps_x() const { return 4 * reach_.x + 1; }
    void interpolate(std::size_t row, Pair at, std::size_t begin, std::size_t end,
                     const Lines& lines) const;
    // Over the columns that are farther than `edge` px from the ends.
    RowFit evaluate(std::size_t row, Pair at, double edge, const NoiseModel& noise,
                    const Lines& lines) const;

    Shape shape_;
    Reach reach_;
    unsigned threads_;
    Scratch<float> image_, pilot_, spline_;  // in units of the pilot's standard deviation
    std::vector<float> table_;               // [rows, steps_y, steps_x]
};

}  // namespace stemzoo::scan
