#include "survey/noise_model.hpp"

#include <algorithm>
#include <cmath>

#include "core/scratch.hpp"
#include "survey/variance_line.hpp"

namespace stemzoo::survey {
namespace {

// Standard errors: a smaller slope does not say that the noise is of counts.
constexpr double slope_sure = 4;
constexpr double white_below = 0.15;     // rms of log(spectrum)
constexpr double least_variance = 0.02;  // of the mean one

bool is_white(const NoiseSpectrum& spectrum) {
    double squares = 0;
    for (const double value : spectrum.power) squares += std::log(value) * std::log(value);
    return std::sqrt(squares / static_cast<double>(spectrum.power.size())) < white_below;
}

}  // namespace

NoiseModel measure_noise(const float* raw, const float* clean, Shape shape, unsigned threads) {
    const std::size_t count = shape.size();
    Scratch<float> residual(count);
    double squares = 0, sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        residual[i] = raw[i] - clean[i];
        squares += static_cast<double>(residual[i] * residual[i]);
        sum += static_cast<double>(raw[i]);
    }
    NoiseModel noise;
    const double variance = squares / static_cast<double>(count);
    if (!(variance > 0)) return noise;
    const auto limit = static_cast<float>(outlier * std::sqrt(variance));
    const VarianceLine line = variance_line(clean, residual.data(), count, limit);

    // The residual and the frame, in standard deviations of the noise.
    Scratch<float> frame(count);
    const auto mean = static_cast<float>(sum / static_cast<double>(count));
    const auto level = static_cast<float>(line.level), slope = static_cast<float>(line.slope),
               least = static_cast<float>(least_variance * variance);
    double fair_squares = 0;
    std::size_t fair = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float scale = 1 / std::sqrt(std::max(level + slope * clean[i], least));
        frame[i] = (raw[i] - mean) * scale;
        if (std::abs(residual[i]) < limit) {
            fair_squares += static_cast<double>(residual[i] * residual[i]);
            ++fair;
            residual[i] *= scale;
        } else {
            residual[i] = 0;
        }
    }
    noise.spectrum = noise_spectrum(residual.data(), frame.data(), shape, threads);
    noise.white = is_white(noise.spectrum);
    if (noise.white) noise.spectrum.power.fill(1);
    if (!(line.slope > slope_sure * line.slope_error)) {
        noise.level = fair_squares / static_cast<double>(fair);
        noise.readout = std::sqrt(noise.level);
        return noise;
    }
    noise.level = line.level;
    noise.slope = line.slope;
    // A filter that keeps the mean keeps the noise of the lowest frequencies, where electrons
    // count.
    noise.gain = line.slope * noise.spectrum.power[0];
    noise.offset = line.level < 0 ? -line.level / line.slope : 0;
    noise.readout = std::sqrt(std::max(line.level, 0.0));
    return noise;
}

}  // namespace stemzoo::survey
