// What a block of a GPU's threads does for one patch of frequencies of one frame: the mean of the
// logarithm of its power. The twin of whiteness.cpp.
#pragma once

#include <cmath>

#include "drift/device_spectra.hpp"
#include "spectrum/whiteness.hpp"

namespace stemzoo::cuda {

// Block (patch, frame). First the median of some powers, by their ranks; then the sum.
struct LogPower {
    static constexpr unsigned threads = 256;
    struct Shared {
        float some[threads];
        double part[threads];
        float cap;
    };

    FrameGrid grid;
    const Complex<float>* faded;
    spectrum::Patch patches[4];
    std::size_t rough_steps[4];
    double* means;  // [f][patch]

    STEMZOO_ANYWHERE bool operator()(unsigned step, Index block, Index, unsigned thread,
                                     Shared& shared) const {
        const spectrum::Patch& patch = patches[block.x];
        const std::size_t count = 2 * patch.rows * patch.cols, rough = rough_steps[block.x];
        const std::size_t some = (count + rough - 1) / rough;
        if (step == 0) {
            if (thread < some) shared.some[thread] = power(block, thread * rough);
            if (thread == 0) shared.cap = spectrum::least_power;
            return true;
        }
        if (step == 1) {
            if (thread < some && is_median(shared.some, some, thread)) {
                const float cap = spectrum::most_power * shared.some[thread];
                shared.cap = cap > spectrum::least_power ? cap : spectrum::least_power;
            }
            return true;
        }
        if (step == 2) {
            double sum = 0;
            for (std::size_t i = thread; i < count; i += threads) {
                const float here = power(block, i);
                const float capped = here < spectrum::least_power ? spectrum::least_power
                                     : here > shared.cap          ? shared.cap
                                                                  : here;
                sum += static_cast<double>(std::log(capped));
            }
            shared.part[thread] = sum;
            return true;
        }
        const unsigned half = threads >> (step - 2);
        if (half == 0) {
            if (thread == 0) {
                means[block.y * 4 + block.x] = shared.part[0] / static_cast<double>(count);
            }
            return false;
        }
        if (thread < half) shared.part[thread] += shared.part[thread + half];
        return true;
    }

  private:
    STEMZOO_ANYWHERE float power(Index block, std::size_t i) const {
        const spectrum::Patch& patch = patches[block.x];
        const std::size_t ky = patch.row + i / (2 * patch.cols) * patch.row_step;
        const std::size_t within = i % (2 * patch.cols);
        const std::size_t kx =
            within < patch.cols ? patch.left + within : patch.right + within - patch.cols;
        return power_of(at(grid, faded, block.y, ky, kx));
    }

    // Whether it would stand in the middle if all were sorted; of equal ones the first does.
    STEMZOO_ANYWHERE static bool is_median(const float* some, std::size_t count, std::size_t i) {
        std::size_t below = 0;
        for (std::size_t k = 0; k < count; ++k) {
            below += some[k] < some[i] || (some[k] == some[i] && k < i) ? 1 : 0;
        }
        return below == count / 2;
    }
};

}  // namespace stemzoo::cuda
