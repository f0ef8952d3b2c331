#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "capi/image.hpp"
#include "capi/status.hpp"
#include "capi/stemzoo.h"
#include "scan/centring.hpp"
#include "scan/find_rows.hpp"
#include "scan/resample_rows.hpp"
#include "scan/straightening.hpp"

using namespace stemzoo::capi;
using stemzoo::Scratch;
using stemzoo::Shape;
using stemzoo::View;
namespace scan = stemzoo::scan;

namespace {

Scratch<float> without(double offset, const View<const float>& image) {
    Scratch<float> centred(image.shape.size());
    scan::centre(image, offset, centred.data());
    return centred;
}

View<const float> contiguous_from(const float* pixels, Shape shape, const char* name) {
    return floats_from(pixels, shape, static_cast<std::ptrdiff_t>(shape.cols), name);
}

scan::RowOptions options_from(const stemzoo_rows_options* options) {
    const stemzoo_rows_options given = options == nullptr ? stemzoo_rows_options{} : *options;
    scan::RowOptions chosen;
    const bool usual = given.reach_y == 0 && given.reach_x == 0;
    chosen.reach = usual ? scan::restoring_reach : scan::Reach{given.reach_y, given.reach_x};
    if (given.slow != 0) chosen.slow = given.slow < 0 ? 0 : given.slow;
    chosen.threads = threads_from(given.threads);
    return chosen;
}

void require_reach(const scan::Reach& reach, Shape shape) {
    if (reach.y < shape.rows && reach.x < shape.cols) return;
    throw std::invalid_argument("reach is (" + std::to_string(reach.y) + ", " +
                                std::to_string(reach.x) + ") px; expected less than the image, " +
                                shape.text());
}

}  // namespace

extern "C" {

int stemzoo_rows_find(const float* image, const float* pilot, size_t rows, size_t cols,
                      const stemzoo_rows_options* options, stemzoo_row* found) {
    return stemzoo_rows_find_progress(image, pilot, rows, cols, options, nullptr, nullptr, found);
}

int stemzoo_rows_find_progress(const float* image, const float* pilot, size_t rows, size_t cols,
                               const stemzoo_rows_options* options, stemzoo_progress progress,
                               void* user, stemzoo_row* found) {
    return guarded([&] {
        const Shape shape = shape_from(rows, cols, "the image");
        const View<const float> recorded = contiguous_from(image, shape, "image");
        const View<const float> clean = contiguous_from(pilot, shape, "pilot");
        scan::RowOptions chosen = options_from(options);
        if (progress != nullptr) {
            chosen.progress = [=](std::size_t done, std::size_t total) {
                return progress(user, done, total) == 0;
            };
        }
        require_reach(chosen.reach, shape);
        require(found, "found");
        const double offset = scan::typical(clean);
        const scan::Rows placed = scan::find_rows(without(offset, recorded).data(),
                                                  without(offset, clean).data(), shape, chosen);
        for (std::size_t row = 0; row < rows; ++row) {
            const scan::Pair &d = placed.displacement[row], &sigma = placed.sigma[row];
            found[row] = {d.y, d.x, sigma.y, sigma.x};
        }
    });
}

int stemzoo_rows_apply(const float* image, size_t rows, size_t cols, const stemzoo_row* found,
                       float* out) {
    return guarded([&] {
        const Shape shape = shape_from(rows, cols, "the image");
        const View<const float> recorded = contiguous_from(image, shape, "image");
        require(found, "found");
        const View<float> to = output_from(out, shape, static_cast<std::ptrdiff_t>(cols), "out");
        std::vector<scan::Pair> displacements;
        for (std::size_t row = 0; row < rows; ++row) {
            displacements.push_back({found[row].dy, found[row].dx});
        }
        const double offset = scan::typical(recorded);
        const Scratch<float> result(shape.size());
        scan::resample_rows(without(offset, recorded).data(), shape, displacements, result.data(),
                            0);
        std::transform(result.data(), result.data() + shape.size(), to.data, [=](float pixel) {
            return static_cast<float>(static_cast<double>(pixel) + offset);
        });
    });
}
}
