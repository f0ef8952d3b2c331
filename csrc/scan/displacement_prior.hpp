// Gaussian prior of the rows' displacements along one axis, learnt from the rows themselves
// (empirical Bayes), and the posterior of each row given all.
#pragma once

#include <cstddef>
#include <vector>

namespace stemzoo::scan {

// What the counts of each row say alone: the displacement of the highest likelihood, px, and its
// information, 1 / px^2; 0 where a row says nothing.
struct RowEstimates {
    std::vector<double> value, information;
};

// Of the log-likelihood ratio: the pilot may displace one row in fifty.
inline constexpr double most_of_a_row = 4;

// A first-order autoregression from row to row. A memory of 0 is independent rows.
struct DisplacementPrior {
    double variance = 0;  // px^2
    double memory = 0;    // correlation of neighbouring rows
    double evidence = 0;  // log-likelihood ratio of this prior against no displacement at all
    double common_evidence = 0;  // of which no row counts more than most_of_a_row
};

DisplacementPrior fit_prior(const RowEstimates& rows);

// Posterior mean and standard deviation of every row, by a Kalman filter and smoother.
void smooth(const RowEstimates& rows, const DisplacementPrior& prior, std::vector<double>& mean,
            std::vector<double>& sigma);

// Leaves slow displacements to the specimen, whose own distortion looks alike: subtracts their
// mean, and of what a Gaussian average over rows keeps, `width` its standard deviation in rows, the
// share that a distortion of ordinary size has beside white jitter (Wiener). Rows are mirrored at
// the ends. A width of 0 leaves nothing.
void leave_distortion(std::vector<double>& values, double width);

}  // namespace stemzoo::scan
