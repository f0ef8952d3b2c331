// What the threads of a GPU do for the sums over overlaps; the twin of overlap.cpp.
//
// An overlap is the image less some rows at its top or bottom and some columns at its left or
// right. Threads first take rows away from the sums of their column, for every row of lags; blocks
// then take columns away by running along what is left. Rows of lags are done some at a time, since
//   trimmed  [f][row of lags][x]
// could else be larger than the frames.
#pragma once

#include "cuda/launch.hpp"
#include "ncc/geometry.hpp"
#include "ncc/normalised.hpp"
#include "ncc/scaling.hpp"

namespace stemzoo::cuda {

using ncc::Geometry;
using ncc::Moments;
using ncc::OverlapSum;

// How many rows and columns a lag cuts off at one end: `lag` counts from -most at 0.
STEMZOO_ANYWHERE constexpr std::size_t cut_at_start(std::size_t lag, std::size_t most) {
    return lag < most ? most - lag : 0;
}
STEMZOO_ANYWHERE constexpr std::size_t cut_at_end(std::size_t lag, std::size_t most) {
    return lag > most ? lag - most : 0;
}

// One column of one frame, for rows of lags that cut at the top (z = 0) or at the bottom (z = 1).
struct TrimColumn {
    Geometry geometry;
    const float* scaled;
    std::size_t width, chunk;
    const Moments* columns;
    std::size_t first, count;  // rows of lags
    Moments* trimmed;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t most = geometry.max_dy, rows = geometry.image.rows;
        Moments left = columns[at.y * geometry.image.cols + at.x];
        for (std::size_t cut = 0; cut <= most; ++cut) {
            if (cut > 0) {
                const std::size_t row = at.z == 0 ? cut - 1 : rows - cut;
                const double x = scaled[(row * chunk + at.y) * width + at.x];
                left.sum -= x;
                left.square_sum -= x * x;
            }
            const std::size_t lag = at.z == 0 ? most - cut : most + cut;
            if (lag < first || lag >= first + count || (cut == 0 && at.z == 1)) continue;
            trimmed[(at.y * count + lag - first) * geometry.image.cols + at.x] = left;
        }
    }
};

// All overlaps of one row of lags: block (row of lags, frame).
struct SumOverlaps {
    static constexpr unsigned threads = 128;
    struct Shared {
        Moments part[threads];
    };

    Geometry geometry;
    const Moments* trimmed;
    std::size_t first, count;  // rows of lags
    OverlapSum* sums;          // [f][row][column of lags]
    double* energies;          // of the whole frame

    STEMZOO_ANYWHERE bool operator()(unsigned step, Index block, Index, unsigned thread,
                                     Shared& shared) const {
        const std::size_t cols = geometry.image.cols;
        const Moments* line = trimmed + (block.y * count + block.x) * cols;
        if (step == 0) {
            Moments sum;
            for (std::size_t x = thread; x < cols; x += threads) add(sum, line[x]);
            shared.part[thread] = sum;
            return true;
        }
        const unsigned half = threads >> step;
        if (half > 0) {
            if (thread < half) add(shared.part[thread], shared.part[thread + half]);
            return true;
        }
        const std::size_t lag_row = first + block.x;
        if (thread == 0) cut_columns(lag_row, block.y, line, shared.part[0], true);
        if (thread == 1) cut_columns(lag_row, block.y, line, shared.part[0], false);
        if (thread == 2 && lag_row == geometry.max_dy) {
            energies[block.y] = shared.part[0].square_sum;
        }
        return false;
    }

  private:
    STEMZOO_ANYWHERE static void add(Moments& sum, const Moments& more) {
        sum.sum += more.sum;
        sum.square_sum += more.square_sum;
    }

    STEMZOO_ANYWHERE void cut_columns(std::size_t lag_row, std::size_t frame, const Moments* line,
                                      Moments left, bool at_start) const {
        const std::size_t most = geometry.max_dx, cols = geometry.image.cols;
        const std::size_t rows = geometry.image.rows - cut_at_start(lag_row, geometry.max_dy) -
                                 cut_at_end(lag_row, geometry.max_dy);
        OverlapSum* const row =
            sums + (frame * (2 * geometry.max_dy + 1) + lag_row) * (2 * most + 1);
        if (at_start) row[most] = overlap(left, rows * cols);
        for (std::size_t cut = 1; cut <= most; ++cut) {
            const Moments& gone = line[at_start ? cut - 1 : cols - cut];
            left.sum -= gone.sum;
            left.square_sum -= gone.square_sum;
            row[at_start ? most - cut : most + cut] = overlap(left, rows * (cols - cut));
        }
    }

    STEMZOO_ANYWHERE static OverlapSum overlap(const Moments& sum, std::size_t pixels) {
        const auto n = static_cast<double>(pixels);
        return {sum.sum, sum.square_sum - sum.sum * sum.sum / n};
    }
};

}  // namespace stemzoo::cuda
