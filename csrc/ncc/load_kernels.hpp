// What the threads of a GPU do to frames before they are transformed: measure, scale and sum them.
// The twins of Spectral::moments and Spectral::columns.
//
// A chunk of frames is worked on at the same time. Buffers, with f the frame of the chunk:
//   scaled   [row][f][x]         float32; x up to the padded width, zero beyond the image
//   parts    [f][part][x]        sums over some rows of a column
//   columns  [f][x]              sums over a column
#pragma once

#include "cuda/frames.hpp"
#include "cuda/launch.hpp"
#include "ncc/scaling.hpp"

namespace stemzoo::cuda {

using ncc::Moments;
using ncc::Scaling;

struct MomentsSum : Moments {
    STEMZOO_ANYWHERE void add(double x) {
        sum += x;
        square_sum += x * x;
    }
    STEMZOO_ANYWHERE void join(const MomentsSum& other) {
        sum += other.sum;
        square_sum += other.square_sum;
    }
};

// From the sums of its blocks, how a frame is scaled; the first frame that is not finite.
struct ChooseScaling {
    const MomentsSum* sums;
    unsigned blocks;
    double pixels;
    Scaling* scalings;
    unsigned first;  // number of the chunk's first frame
    unsigned* not_finite;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        MomentsSum total = sums[at.x * blocks];
        for (unsigned block = 1; block < blocks; ++block) {
            total.join(sums[at.x * blocks + block]);
        }
        if (!(std::isfinite(total.sum) && std::isfinite(total.square_sum))) {
            keep_lowest(not_finite, first + at.x);
        }
        scalings[at.x] = ncc::scaling_of(total, pixels);
    }
};

// Some rows of a padded column: scaled, written and summed. Frames beyond the last are zero.
struct ScaleColumn {
    static constexpr std::size_t rows_each = 32;

    Frames frames;
    const Scaling* scalings;
    std::size_t width, chunk;
    float* scaled;
    Moments* parts;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t rows = frames.shape.rows, begin = at.y * rows_each;
        const std::size_t end = begin + rows_each < rows ? begin + rows_each : rows;
        const bool inside = at.z < frames.count && at.x < frames.shape.cols;
        const Scaling scaling = at.z < frames.count ? scalings[at.z] : Scaling{};
        Moments part;
        for (std::size_t row = begin; row < end; ++row) {
            double x = 0;
            if (inside) x = (frames.at(at.z, row, at.x) - scaling.offset) * scaling.scale;
            part.sum += x;
            part.square_sum += x * x;
            scaled[(row * chunk + at.z) * width + at.x] = static_cast<float>(x);
        }
        if (at.x < frames.shape.cols) {
            const std::size_t parts_each = (rows + rows_each - 1) / rows_each;
            parts[(at.z * parts_each + at.y) * frames.shape.cols + at.x] = part;
        }
    }
};

struct SumColumn {
    const Moments* parts;
    std::size_t parts_each, cols;
    Moments* columns;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        Moments total;
        for (std::size_t part = 0; part < parts_each; ++part) {
            const Moments& more = parts[(at.y * parts_each + part) * cols + at.x];
            total.sum += more.sum;
            total.square_sum += more.square_sum;
        }
        columns[at.y * cols + at.x] = total;
    }
};

}  // namespace stemzoo::cuda
