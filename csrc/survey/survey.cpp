#include "survey/survey.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/scratch.hpp"
#include "spectrum/blur.hpp"
#include "survey/bragg_peaks.hpp"
#include "survey/close_spacing.hpp"
#include "survey/columns.hpp"
#include "survey/dose.hpp"
#include "survey/quantile.hpp"
#include "survey/repeat.hpp"

namespace stemzoo::survey {
namespace {

constexpr std::size_t least_peaks = 2;  // of a crystal, with their opposites counted once
constexpr double least_repeat = 0.5;    // correlation with itself, a lattice vector away
// Of the mean: noise is as weak as this where an enlarged frame has no detail.
constexpr double empty = 0.01;

// The share of frequencies that hold noise.
double filled(const NoiseSpectrum& spectrum) {
    const auto count = std::count_if(spectrum.power.begin(), spectrum.power.end(),
                                     [](double power) { return power > empty; });
    return static_cast<double>(count) / static_cast<double>(spectrum.power.size());
}

// Every other pixel along both axes.
std::vector<float> quarter(const float* pixels, Shape shape) {
    std::vector<float> found;
    found.reserve((shape.rows + 1) / 2 * ((shape.cols + 1) / 2));
    for (std::size_t y = 0; y < shape.rows; y += 2) {
        for (std::size_t x = 0; x < shape.cols; x += 2) found.push_back(pixels[y * shape.cols + x]);
    }
    return found;
}

}  // namespace

Survey survey(const float* raw, const float* clean, Shape shape, unsigned threads) {
    Survey found;
    found.noise = measure_noise(raw, clean, shape, threads);
    const Scratch<float> smooth = spectrum::blurred(clean, shape, column_blur, threads);
    std::vector<float> values = quarter(smooth.data(), shape);
    const double low = quantile(values, dark_quantile), high = quantile(values, bright_quantile);
    const Columns columns = columns_of(smooth.data(), shape, high - low);
    const std::vector<BraggPeak> peaks = bragg_peaks(raw, shape, threads);
    found.columns = columns.count;
    found.peaks = peaks.size();
    found.spacing = columns.spacing;
    found.atoms = columns.enough && (columns.ordered || peaks.size() >= least_peaks);
    if (!columns.ordered) {
        const Repeat repeat = nearest_repeat(smooth.data(), shape, threads);
        // The maxima of the clean estimate are noise that is left, or unequal columns.
        if (repeat.correlation > least_repeat) {
            found.atoms = true;
            found.spacing = repeat.distance;
        }
    }
    // What seems to be columns is what is left of them.
    const double close = close_spacing(peaks);
    if (std::isfinite(close)) found.spacing = close;
    found.dose = dose_of(raw, clean, shape, high, found.noise);
    found.independent_dose = found.dose / filled(found.noise.spectrum);
    return found;
}

}  // namespace stemzoo::survey
