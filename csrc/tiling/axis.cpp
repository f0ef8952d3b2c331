#include "tiling/axis.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace stemzoo {
namespace {

// Keeps every sum and product of two sides inside 64 bits.
constexpr std::size_t kLongestSide = (std::size_t{1} << 31) - 1;

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument(what); }

void require_side(const char* axis, const char* what, std::size_t given) {
    if (given >= 1 && given <= kLongestSide) return;
    refuse(std::string(what) + " has " + std::to_string(given) + " " + axis + "; expected 1 to " +
           std::to_string(kLongestSide));
}

void require_multiple_of(const char* axis, const char* what, std::size_t given,
                         std::size_t multiple) {
    if (given % multiple == 0) return;
    const std::size_t below = given / multiple * multiple;
    refuse(std::string(what) + " has " + std::to_string(given) + " " + axis +
           "; expected a multiple of " + std::to_string(multiple) + ", for example " +
           std::to_string(below > 0 ? below : multiple));
}

std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

// Sampled in the middle of pixels, so that no window has a weight of zero inside.
double profile_at(Weights weights, std::size_t i, std::size_t tile) {
    constexpr double pi = 3.14159265358979323846;
    const double x = (static_cast<double>(i) + 0.5) / static_cast<double>(tile);
    if (weights == Weights::triangular) return 2 * std::min(x, 1 - x);
    if (weights == Weights::hann) return std::sin(pi * x) * std::sin(pi * x);
    return 1;
}

}  // namespace

Weights weights_from_name(const std::string& name) {
    for (const Weights weights :
         {Weights::flat, Weights::triangular, Weights::hann, Weights::crop}) {
        if (name == weights_name(weights)) return weights;
    }
    refuse("unknown weights '" + name + "'; expected 'flat', 'triangular', 'hann' or 'crop'");
}

std::string weights_name(Weights weights) {
    switch (weights) {
        case Weights::flat:
            return "flat";
        case Weights::triangular:
            return "triangular";
        case Weights::hann:
            return "hann";
        case Weights::crop:
            return "crop";
    }
    refuse("these weights have no name");
}

Axis::Axis(const char* name, std::size_t image, std::size_t tile, std::size_t step, Weights weights,
           std::size_t multiple)
    : grid_{image, tile, step, 0, 0, weights == Weights::crop} {
    require_side(name, "image", image);
    require_side(name, "tile", tile);
    require_side(name, "multiple", multiple);
    if (step < 1 || step > tile) {
        refuse("step is " + std::to_string(step) + " " + name + " for a tile of " +
               std::to_string(tile) + "; expected 1 to " + std::to_string(tile) +
               ", so that windows leave no gap");
    }
    require_multiple_of(name, "tile", tile, multiple);
    require_multiple_of(name, "step", step, multiple);

    grid_.padded = std::max(tile, divide_up(image, multiple) * multiple);
    grid_.windows = divide_up(grid_.padded - tile, step) + 1;
    plan_weights(weights);
}

void Axis::plan_weights(Weights weights) {
    if (grid_.crop) return;
    profile_.resize(tile());
    for (std::size_t i = 0; i < tile(); ++i) {
        profile_[i] = static_cast<float>(profile_at(weights, i, tile()));
    }
    std::vector<double> sum(image(), 0.0);
    for (std::size_t window = 0; window < windows(); ++window) {
        double* covered = sum.data() + start(window);
        const std::size_t end = std::min(tile(), image() - start(window));
        for (std::size_t i = 0; i < end; ++i) covered[i] += static_cast<double>(profile_[i]);
    }
    share_.resize(image());
    std::transform(sum.begin(), sum.end(), share_.begin(),
                   [](double total) { return static_cast<float>(1 / total); });
}

}  // namespace stemzoo
