// The sums behind mean, standard deviation and range; those of moments.hpp, without its vectors.
#pragma once

#include "core/portable.hpp"

namespace stemzoo::cuda {

// Of differences from one pixel, which keeps a large offset out of the sum.
struct OffsetSum {
    double origin, sum;

    STEMZOO_ANYWHERE void add(double x) { sum += x - origin; }
    STEMZOO_ANYWHERE void join(const OffsetSum& other) { sum += other.sum; }
};

struct SpreadSum {
    double mean, squares, low, high;

    STEMZOO_ANYWHERE void add(double x) {
        squares += (x - mean) * (x - mean);
        low = x < low ? x : low;
        high = x > high ? x : high;
    }
    STEMZOO_ANYWHERE void join(const SpreadSum& other) {
        squares += other.squares;
        low = other.low < low ? other.low : low;
        high = other.high > high ? other.high : high;
    }
};

}  // namespace stemzoo::cuda
