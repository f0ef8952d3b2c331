#include "drift/stripes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/fft2d.hpp"
#include "core/scratch.hpp"

namespace stemzoo::drift {
namespace {

constexpr double striped = 9;  // times the power of noise, at the median frequency of a profile
constexpr double hann_power = 0.375;  // the mean square of the window
constexpr std::size_t bands = 8;      // that profiles are made of with alternating signs

double median_power(const std::vector<float>& profile) {
    constexpr double pi = 3.14159265358979323846;
    const std::size_t n = profile.size();
    const Fft2d fft({n, 1});
    const SpectrumLayout& layout = fft.layout();
    std::vector<float> windowed(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double turn = 2 * pi * static_cast<double>(i + 1) / static_cast<double>(n + 1);
        windowed[i] =
            static_cast<float>(static_cast<double>(profile[i]) * (0.5 - 0.5 * std::cos(turn)));
    }
    const Scratch<float> spectrum(layout.size);
    fft.forward(windowed.data(), spectrum.data());
    std::vector<double> power(layout.rows);
    for (std::size_t k = 0; k < layout.rows; ++k) {
        const auto re = static_cast<double>(*layout.real(spectrum.data(), k)),
                   im = static_cast<double>(*layout.imaginary(spectrum.data(), k));
        power[k] = re * re + im * im;
    }
    std::sort(power.begin(), power.end());
    return (power[(power.size() - 1) / 2] + power[power.size() / 2]) / 2;
}

// What the means along rows (or else along columns) would be without stripes: of eight bands, with
// alternating signs.
std::vector<float> without_stripes(const View<float>& pixels, bool along_rows) {
    const Shape shape = pixels.shape;
    const std::size_t averaged = along_rows ? shape.cols : shape.rows,
                      wide = std::max<std::size_t>(averaged / bands, 1);
    const float share = 1 / static_cast<float>(averaged);
    std::vector<float> profile(shape.size() / averaged);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const std::size_t band = (along_rows ? c : r) / wide;
            profile[along_rows ? r : c] += (band % 2 == 0 ? share : -share) * pixels.at(r, c);
        }
    }
    return profile;
}

// Noise that is correlated along an axis has more power in the means along it than white noise.
bool has_stripes(const View<float>& pixels, const Survey& survey, bool along_rows) {
    const std::vector<float>& profile = along_rows ? survey.row_means : survey.column_means;
    const auto averaged = static_cast<double>(pixels.shape.size() / profile.size());
    const double expected =
        hann_power * static_cast<double>(profile.size()) * survey.noise / averaged;
    if (!(expected > 0)) return false;
    const double power = median_power(profile);
    return power > striped * expected &&
           power > striped * median_power(without_stripes(pixels, along_rows));
}

}  // namespace

bool subtract_stripes(const View<float>& pixels, const Survey& survey) {
    const std::size_t rows = pixels.shape.rows, cols = pixels.shape.cols;
    const bool down = has_stripes(pixels, survey, false),
               across = has_stripes(pixels, survey, true);
    if (down) {
        for (std::size_t r = 0; r < rows; ++r) {
            for (std::size_t c = 0; c < cols; ++c) pixels.at(r, c) -= survey.column_means[c];
        }
    }
    if (across) {
        for (std::size_t r = 0; r < rows; ++r) {
            for (std::size_t c = 0; c < cols; ++c) pixels.at(r, c) -= survey.row_means[r];
        }
    }
    return down || across;
}

}  // namespace stemzoo::drift
