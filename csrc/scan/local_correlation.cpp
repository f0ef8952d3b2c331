#include "scan/local_correlation.hpp"

#include <algorithm>
#include <cmath>

#include "core/fft2d.hpp"
#include "core/parallel.hpp"
#include "core/scratch.hpp"

namespace stemzoo::scan {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double slowest = 2.5;        // waves per window: what is slower is shading
constexpr double fastest = 0.25;       // 1/px: what is faster is noise
constexpr double least_overlap = 0.2;  // of the tapers, by which a local correlation is divided

std::vector<float> hann(std::size_t count) {
    std::vector<float> taper(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double s = std::sin(pi * (static_cast<double>(i) + 0.5) / static_cast<double>(count));
        taper[i] = static_cast<float>(s * s);
    }
    return taper;
}

// The autocorrelation of a taper, 1 at no displacement.
std::vector<double> overlap(const std::vector<float>& taper, std::size_t reach, double least) {
    std::vector<double> result;
    for (std::size_t lag = 0; lag <= reach; ++lag) {
        double sum = 0;
        for (std::size_t i = 0; i + lag < taper.size(); ++i) {
            sum += static_cast<double>(taper[i] * taper[i + lag]);
        }
        result.push_back(sum);
    }
    const double whole = result[0];
    for (double& value : result) value = std::max(value / whole, least);
    return result;
}

double frequency(std::size_t k, std::size_t n) {
    const auto signed_k = static_cast<double>(k) - (2 * k > n ? static_cast<double>(n) : 0.0);
    return signed_k / static_cast<double>(n);
}

// Correlates windows of one shape.
class Correlator {
  public:
    explicit Correlator(Shape shape)
        : shape_(shape),
          fft_(shape),
          taper_y_(hann(shape.rows)),
          taper_x_(hann(shape.cols)),
          passed_(fft_.layout().rows * shape.cols) {
        const double slow = slowest / static_cast<double>(std::min(shape.rows, shape.cols));
        for (std::size_t ky = 0; ky < fft_.layout().rows; ++ky) {
            for (std::size_t kx = 0; kx < shape.cols; ++kx) {
                const double f = std::hypot(frequency(ky, shape.rows), frequency(kx, shape.cols));
                passed_[ky * shape.cols + kx] = static_cast<float>(
                    (1 - std::exp(-std::pow(f / slow, 4))) * std::exp(-std::pow(f / fastest, 2)));
            }
        }
    }

    // Surface over displacements up to `reach`, divided by the overlap of the tapers, but at most
    // by `least`; empty where there is no contrast.
    std::vector<float> surface(const float* first, const float* second, std::size_t stride,
                               Shape reach, double least, unsigned threads) const {
        const SpectrumLayout& layout = fft_.layout();
        const Scratch<float> a(layout.size), b(layout.size), line(shape_.size());
        transform(first, stride, line.data(), a.data(), threads);
        transform(second, stride, line.data(), b.data(), threads);
        double power_a = 0, power_b = 0;
        for (std::size_t ky = 0; ky < layout.rows; ++ky) {
            const bool twice = ky > 0 && 2 * ky != shape_.rows;
            float *const ar = layout.real(a.data(), ky), *const ai = layout.imaginary(a.data(), ky);
            const float *const br = layout.real(b.data(), ky), *const bi =
                                                                   layout.imaginary(b.data(), ky);
            const float* const pass = passed_.data() + ky * shape_.cols;
            for (std::size_t kx = 0; kx < shape_.cols; ++kx) {
                const float ra = ar[kx], ia = ai[kx], rb = br[kx], ib = bi[kx], p = pass[kx];
                const double factor = twice ? 2 : 1;
                power_a += factor * static_cast<double>(p * (ra * ra + ia * ia));
                power_b += factor * static_cast<double>(p * (rb * rb + ib * ib));
                ar[kx] = p * (ra * rb + ia * ib);
                ai[kx] = p * (ra * ib - ia * rb);
            }
        }
        if (!(power_a > 0 && power_b > 0)) return {};
        fft_.backward(a.data(), line.data(), threads);
        const double scale = static_cast<double>(shape_.size()) / std::sqrt(power_a * power_b);
        const auto down = overlap(taper_y_, reach.rows, least),
                   right = overlap(taper_x_, reach.cols, least);
        std::vector<float> result;
        const auto ry = static_cast<std::ptrdiff_t>(reach.rows),
                   rx = static_cast<std::ptrdiff_t>(reach.cols),
                   rows = static_cast<std::ptrdiff_t>(shape_.rows),
                   cols = static_cast<std::ptrdiff_t>(shape_.cols);
        for (std::ptrdiff_t y = -ry; y <= ry; ++y) {
            for (std::ptrdiff_t x = -rx; x <= rx; ++x) {
                const auto at = static_cast<std::size_t>((y < 0 ? y + rows : y) * cols +
                                                         (x < 0 ? x + cols : x));
                const double seen = down[static_cast<std::size_t>(std::abs(y))] *
                                    right[static_cast<std::size_t>(std::abs(x))];
                result.push_back(static_cast<float>(static_cast<double>(line[at]) * scale / seen));
            }
        }
        return result;
    }

  private:
    void transform(const float* from, std::size_t stride, float* line, float* spectrum,
                   unsigned threads) const {
        double total = 0;
        for (std::size_t y = 0; y < shape_.rows; ++y) {
            for (std::size_t x = 0; x < shape_.cols; ++x) {
                total += static_cast<double>(from[y * stride + x]);
            }
        }
        const auto mean = static_cast<float>(total / static_cast<double>(shape_.size()));
        for (std::size_t y = 0; y < shape_.rows; ++y) {
            for (std::size_t x = 0; x < shape_.cols; ++x) {
                line[y * shape_.cols + x] =
                    (from[y * stride + x] - mean) * taper_y_[y] * taper_x_[x];
            }
        }
        fft_.forward(line, spectrum, threads);
    }

    Shape shape_;
    Fft2d fft_;
    std::vector<float> taper_y_, taper_x_, passed_;
};

// Where windows of `side` may begin along an axis, the second picture's `offset` farther.
std::vector<std::size_t> beginnings(std::size_t size, std::size_t side, std::ptrdiff_t offset) {
    const auto low = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, -offset));
    const auto high = static_cast<std::ptrdiff_t>(size) - std::max<std::ptrdiff_t>(0, offset) -
                      static_cast<std::ptrdiff_t>(side);
    std::vector<std::size_t> result;
    if (high < static_cast<std::ptrdiff_t>(low)) return result;
    const std::size_t room = static_cast<std::size_t>(high) - low, count = 2 * room / side + 1;
    for (std::size_t i = 0; i < count; ++i) {
        result.push_back(low + (count > 1 ? i * room / (count - 1) : room / 2));
    }
    return result;
}

}  // namespace

double LocalCorrelation::value(Pair displacement) const {
    const double most = 2 * static_cast<double>(reach);
    const double y = std::clamp(displacement.y + static_cast<double>(reach), 0.0, most),
                 x = std::clamp(displacement.x + static_cast<double>(reach), 0.0, most);
    const std::size_t iy = std::min(static_cast<std::size_t>(y), 2 * reach - 1),
                      ix = std::min(static_cast<std::size_t>(x), 2 * reach - 1);
    const double fy = y - static_cast<double>(iy), fx = x - static_cast<double>(ix);
    const float* const p = surface.data() + iy * side() + ix;
    const auto value_at = [p](std::size_t i) { return static_cast<double>(p[i]); };
    return (1 - fy) * ((1 - fx) * value_at(0) + fx * value_at(1)) +
           fy * ((1 - fx) * value_at(side()) + fx * value_at(side() + 1));
}

std::vector<LocalCorrelation> correlate(const std::vector<float>& first,
                                        const std::vector<float>& second, Shape shape,
                                        const Windows& windows, unsigned threads) {
    const auto down = beginnings(shape.rows, windows.side, windows.y),
               right = beginnings(shape.cols, windows.side, windows.x);
    const Correlator correlator({windows.side, windows.side});
    std::vector<LocalCorrelation> all(down.size() * right.size());
    parallel_for(all.size(), threads, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const std::size_t y = down[i / right.size()], x = right[i % right.size()];
            const auto there =
                static_cast<std::size_t>((static_cast<std::ptrdiff_t>(y) + windows.y) *
                                             static_cast<std::ptrdiff_t>(shape.cols) +
                                         static_cast<std::ptrdiff_t>(x) + windows.x);
            const double middle = 0.5 * (static_cast<double>(windows.side) - 1);
            all[i].at = {static_cast<double>(y) + middle, static_cast<double>(x) + middle};
            all[i].reach = windows.reach;
            all[i].surface =
                correlator.surface(first.data() + y * shape.cols + x, second.data() + there,
                                   shape.cols, {windows.reach, windows.reach}, least_overlap, 1);
        }
    });
    const auto blank = [](const LocalCorrelation& each) { return each.surface.empty(); };
    all.erase(std::remove_if(all.begin(), all.end(), blank), all.end());
    return all;
}

void correlate_whole(const std::vector<float>& first, const std::vector<float>& second, Shape shape,
                     Shape reach, Windows& windows, unsigned threads) {
    windows.y = windows.x = 0;
    // Not divided by the overlap: on a lattice, the peak nearby is as good as any.
    const auto surface =
        Correlator(shape).surface(first.data(), second.data(), shape.cols, reach, 1, threads);
    if (surface.empty()) return;
    const auto best = static_cast<std::size_t>(std::max_element(surface.begin(), surface.end()) -
                                               surface.begin());
    const std::size_t cols = 2 * reach.cols + 1;
    windows.y = static_cast<std::ptrdiff_t>(best / cols) - static_cast<std::ptrdiff_t>(reach.rows);
    windows.x = static_cast<std::ptrdiff_t>(best % cols) - static_cast<std::ptrdiff_t>(reach.cols);
}

}  // namespace stemzoo::scan
