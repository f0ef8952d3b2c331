#include "scan/damping.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace stemzoo::scan {
namespace {

constexpr double damping = 0.7;  // of a change to the next one
constexpr double least_amplitude = 1e-12;
constexpr std::size_t around = 2;  // frequencies on either side that an amplitude is averaged over

// The discrete cosine transform of rows that are mirrored at both ends (DCT-II), and back.
class CosineTransform {
  public:
    explicit CosineTransform(std::size_t count) : count_(count) {
        const double step = std::acos(-1.0) / static_cast<double>(2 * count);
        for (std::size_t k = 0; k < 4 * count; ++k) {
            cosines_.push_back(std::cos(step * static_cast<double>(k)));
        }
    }

    std::vector<double> forward(const std::vector<double>& rows) const {
        std::vector<double> spectrum(count_);
        for (std::size_t k = 0; k < count_; ++k) {
            for (std::size_t row = 0; row < count_; ++row) {
                spectrum[k] += rows[row] * cosine(k, row);
            }
        }
        return spectrum;
    }

    std::vector<double> back(const std::vector<double>& spectrum) const {
        std::vector<double> rows(count_);
        for (std::size_t row = 0; row < count_; ++row) {
            for (std::size_t k = 1; k < count_; ++k) rows[row] += spectrum[k] * cosine(k, row);
            rows[row] = (spectrum[0] + 2 * rows[row]) / static_cast<double>(count_);
        }
        return rows;
    }

  private:
    double cosine(std::size_t k, std::size_t row) const {
        return cosines_[k * (2 * row + 1) % (4 * count_)];
    }

    std::size_t count_;
    std::vector<double> cosines_;
};

// Root mean square over neighbouring frequencies, mirrored at the ends; the highest is zero.
std::vector<double> amplitudes(const std::vector<double>& spectrum) {
    const std::size_t count = spectrum.size() + 1;
    const auto power = [&](std::size_t k) {
        return k < spectrum.size() ? spectrum[k] * spectrum[k] : 0;
    };
    std::vector<double> result;
    for (std::size_t k = 0; k < count; ++k) {
        double sum = power(k);
        for (std::size_t step = 1; step <= around; ++step) {
            const std::size_t above = k + step;
            sum += power(k < step ? step - k : k - step);
            sum += power(above < count ? above : 2 * (count - 1) - above);
        }
        result.push_back(std::sqrt(sum / (2 * around + 1)));
    }
    return result;
}

}  // namespace

std::vector<double> Damping::limited(const std::vector<double>& change) {
    const CosineTransform transform(change.size());
    std::vector<double> spectrum = transform.forward(change);
    std::vector<double> amplitude = amplitudes(spectrum);
    if (last_.empty()) {
        last_ = std::move(amplitude);
        return change;
    }
    for (std::size_t k = 0; k < amplitude.size(); ++k) {
        const double most = damping * last_[k] / std::max(amplitude[k], least_amplitude);
        const double factor = std::min(1.0, most);
        if (k < spectrum.size()) spectrum[k] *= factor;
        amplitude[k] *= factor;
    }
    last_ = std::move(amplitude);
    return transform.back(spectrum);
}

}  // namespace stemzoo::scan
