#include "survey/close_spacing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "survey/quantile.hpp"

namespace stemzoo::survey {
namespace {

constexpr double fine = 0.36, many_fine = 0.3;  // 1/px, and of the peaks
// 1/px, of the strongest peak: of columns, of groups of columns.
constexpr double coarse = 0.24, coarsest = 0.15;
constexpr double sharpest = 0.8;  // px: standard deviation of a probe that is not undersampled
constexpr double most_sharpened = 2980.957987041728;  // exp(8) times the power of a peak
constexpr double like_others = 5;                     // times the median: no peak counts more
constexpr double patterson_step = 0.25;               // px
constexpr int patterson_reach = 20;                   // steps
constexpr double patterson_least = 0.15;              // of its value at no distance
// px: longer distances are those of columns that are resolved, in groups and without.
constexpr double close_in_groups = 3, close = 3.6;
constexpr std::size_t attempted = 64;  // peaks are enough
constexpr double pi = 3.14159265358979323846;
constexpr double none = std::numeric_limits<double>::quiet_NaN();

// The Fourier sum of the powers of the peaks. The falloff of the sharpest probe is undone, so that
// maxima are of columns, not of their images.
class Patterson {
  public:
    explicit Patterson(std::vector<BraggPeak> peaks) {
        if (peaks.size() > attempted) peaks.resize(attempted);
        std::vector<double> powers;
        for (BraggPeak& peak : peaks) {
            const double at = pi * sharpest * peak.frequency();
            peak.power *= std::min(std::exp(4 * at * at), most_sharpened);
            powers.push_back(peak.power);
        }
        const double most = like_others * median(powers);
        double total = 0;
        for (BraggPeak& peak : peaks) total += peak.power = std::min(peak.power, most);
        for (int y = -patterson_reach; y <= patterson_reach; ++y) {
            for (int x = -patterson_reach; x <= patterson_reach; ++x) {
                double value = 0;
                for (const BraggPeak& peak : peaks) {
                    value += peak.power *
                             std::cos(2 * pi * patterson_step * (peak.up * y + peak.across * x));
                }
                at(y, x) = value / total;
            }
        }
    }

    bool is_maximum(int y, int x) {
        const double here = at(y, x);
        for (int v = -1; v <= 1; ++v) {
            for (int u = -1; u <= 1; ++u) {
                if (at(y + v, x + u) > here) return false;
            }
        }
        return here > patterson_least;
    }

  private:
    static constexpr std::size_t side = 2 * patterson_reach + 1;

    double& at(int y, int x) {
        return values_[static_cast<std::size_t>(y + patterson_reach) * side +
                       static_cast<std::size_t>(x + patterson_reach)];
    }

    std::array<double, side * side> values_{};
};

// The shortest distance between columns: of the maximum nearest to none.
double patterson_nearest(const std::vector<BraggPeak>& peaks) {
    Patterson patterson(peaks);
    double nearest = none;
    for (int y = 1 - patterson_reach; y < patterson_reach; ++y) {
        for (int x = 1 - patterson_reach; x < patterson_reach; ++x) {
            const double distance = patterson_step * std::hypot(y, x);
            if (!(distance > patterson_step) || distance >= nearest) continue;
            if (patterson.is_maximum(y, x)) nearest = distance;
        }
    }
    return nearest;
}

}  // namespace

double close_spacing(const std::vector<BraggPeak>& peaks) {
    std::vector<double> fine_ones;
    for (const BraggPeak& peak : peaks) {
        if (peak.frequency() > fine) fine_ones.push_back(peak.frequency());
    }
    const double least = many_fine * static_cast<double>(peaks.size());
    if (!(static_cast<double>(fine_ones.size()) > least)) return none;
    const double strongest = peaks.front().frequency();
    if (strongest < coarsest) return none;
    const bool grouped = strongest <= coarse;
    const double nearest = patterson_nearest(peaks);
    if (nearest > (grouped ? close_in_groups : close)) return none;
    return grouped ? nearest : 1 / median(fine_ones);
}

}  // namespace stemzoo::survey
