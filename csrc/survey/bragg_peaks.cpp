#include "survey/bragg_peaks.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "spectrum/centred.hpp"
#include "spectrum/power_spectrum.hpp"
#include "survey/quantile.hpp"

namespace stemzoo::survey {
namespace {

using spectrum::HalfPlane;

constexpr double over_surroundings = 30;  // times the median power
constexpr float over_ring = 3;  // times the highest power beside, which a streak does not reach
constexpr double around = 1.5, ring_from = 3.5, ring_to = 7;  // bins from a peak
constexpr double slowest = 4;  // periods in the picture: fewer are shading
constexpr std::size_t least_side = 32;

using Offset = std::pair<std::ptrdiff_t, std::ptrdiff_t>;

std::vector<Offset> offsets(double inner, double outer) {
    const auto reach = static_cast<std::ptrdiff_t>(outer);
    std::vector<Offset> found;
    for (std::ptrdiff_t y = -reach; y <= reach; ++y) {
        for (std::ptrdiff_t x = -reach; x <= reach; ++x) {
            const double away = std::hypot(static_cast<double>(y), static_cast<double>(x));
            if (inner < away && away <= outer) found.push_back({y, x});
        }
    }
    return found;
}

// Rows are cyclic; columns are mirrored at both ends.
float power_at(const HalfPlane& half, std::ptrdiff_t y, std::ptrdiff_t x) {
    const auto rows = static_cast<std::ptrdiff_t>(half.shape.rows),
               last = static_cast<std::ptrdiff_t>(half.shape.cols) - 1;
    x = std::abs(x);
    return half.row(static_cast<std::size_t>((y + rows) % rows))[x <= last ? x : 2 * last - x];
}

double median_power(const HalfPlane& half) {
    std::vector<float> powers(half.power.data(), half.power.data() + half.shape.size());
    return median(powers);
}

class Isolated {
  public:
    explicit Isolated(const HalfPlane& half)
        : half_(half),
          least_(static_cast<float>(over_surroundings / 3 * median_power(half))),
          beside_(ring_.size()) {}

    float least() const { return least_; }

    bool operator()(std::size_t row, std::size_t column) {
        const auto y = static_cast<std::ptrdiff_t>(row), x = static_cast<std::ptrdiff_t>(column);
        const float here = half_.row(row)[column];
        for (const auto& [v, u] : near_) {
            if (here < power_at(half_, y + v, x + u)) return false;
        }
        std::transform(ring_.begin(), ring_.end(), beside_.begin(), [&](const Offset& offset) {
            return power_at(half_, y + offset.first, x + offset.second);
        });
        if (!(here > over_ring * *std::max_element(beside_.begin(), beside_.end()))) return false;
        return static_cast<double>(here) > over_surroundings * median(beside_);
    }

  private:
    const HalfPlane& half_;
    float least_;
    std::vector<Offset> near_ = offsets(0, around), ring_ = offsets(ring_from, ring_to);
    std::vector<float> beside_;
};

}  // namespace

std::vector<BraggPeak> bragg_peaks(const float* pixels, Shape image, unsigned threads) {
    const std::size_t side = std::min(image.rows, image.cols);
    if (side < least_side) return {};
    const spectrum::Centred centred(pixels, image.size());
    const HalfPlane half = spectrum::power_spectrum(centred.pixels.data(), image, threads);
    Isolated isolated(half);
    std::vector<BraggPeak> peaks;
    for (std::size_t y = 0; y < half.shape.rows; ++y) {
        const double up = spectrum::frequency(y, image.rows);
        for (std::size_t x = 0; x < half.shape.cols; ++x) {
            const float power = half.row(y)[x];
            if (!(power > isolated.least())) continue;
            const BraggPeak peak{up, static_cast<double>(x) / static_cast<double>(image.cols),
                                 static_cast<double>(power)};
            const bool opposite = x == 0 && up < 0;  // of another in this column
            if (opposite || peak.frequency() * static_cast<double>(side) < slowest) continue;
            if (isolated(y, x)) peaks.push_back(peak);
        }
    }
    std::stable_sort(peaks.begin(), peaks.end(), [](const BraggPeak& one, const BraggPeak& other) {
        return one.power > other.power;
    });
    return peaks;
}

}  // namespace stemzoo::survey
