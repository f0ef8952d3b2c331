// Scans on a common grid: each sample goes where the beam was when it was recorded.
#pragma once

#include <vector>

#include "core/array.hpp"
#include "scan/scan.hpp"

namespace stemzoo::scan {

// Sums of samples and of their weights, pixel by pixel. A sample spreads over the four pixels
// around it with bilinear weights.
struct Splat {
    explicit Splat(Shape grid) : shape(grid), sum(grid.size()), weight(grid.size()) {}

    // Takes back what was added, but for rounding.
    void subtract(const Splat& other);

    Shape shape;
    std::vector<float> sum, weight;
};

// Adds a scan. The result does not depend on the number of threads.
void add(const Scan& scan, Splat& to, unsigned threads);

// The weighted mean, with what no sample reaches filled from the samples nearby, and from the mean
// of all where there are none nearby.
std::vector<float> filled(const Splat& splat, unsigned threads);

// Samples per pixel about each pixel, over the width that gaps are filled from.
std::vector<float> density(const std::vector<float>& weight, Shape shape, unsigned threads);

// A picture at the places of a scan's pixels, by cubic B-splines; NaN outside the picture.
// `coefficients` are the picture's (cubic_spline.hpp).
void sample(const float* coefficients, Shape picture, const Scan& scan, float* result,
            unsigned threads);

}  // namespace stemzoo::scan
