#include "scan/first_paths.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/parallel.hpp"
#include "scan/cubic_spline.hpp"
#include "scan/local_correlation.hpp"
#include "scan/splat.hpp"

namespace stemzoo::scan {
namespace {

constexpr int fastest = 32;               // px over a frame: the fastest constant drift
constexpr int drift_step = 2;             // px over a frame
constexpr std::size_t offsets = 16;       // px about where whole pictures correlate best
constexpr std::size_t least_window = 32;  // px
constexpr double doubtful = 1;            // px: residuals beyond it count little
constexpr double least_correlation = 0.05;
constexpr double stiffness = 0.02;  // of a spline, relative to the weights of its measurements
constexpr double shrink = 1e-6;

// A scan whose path is sought, or, without one, a picture that is placed.
struct Side {
    Scan* scan = nullptr;
    std::vector<float> picture;

    // When the beam was at a point of the picture, in rows from the middle of the scan.
    double time(Pair at, Shape shape) const {
        if (scan == nullptr) return 0;
        return Placement(*scan, shape).to_scan(at).y -
               0.5 * (static_cast<double>(scan->shape.rows) - 1);
    }
    // The same as a share of the frame, in [0, 1].
    double share(Pair at, Shape shape) const {
        const double rows = static_cast<double>(scan->shape.rows);
        return std::clamp(time(at, shape) / rows + 0.5, 0.0, 1.0);
    }
    void render(Shape shape, unsigned threads) {
        if (scan == nullptr) return;
        Splat splat(shape);
        add(*scan, splat, threads);
        picture = filled(splat, threads);
    }
    // Adds to the path what is given in the picture's axes.
    template <typename Displacement>
    void move(Shape shape, const Displacement& of) {
        if (scan == nullptr) return;
        const Placement placement(*scan, shape);
        const double rows = static_cast<double>(scan->shape.rows);
        for (std::size_t y = 0; y < scan->shape.rows; ++y) {
            const double time = static_cast<double>(y) - 0.5 * (rows - 1);
            const Pair d = placement.turned_back(of(time, time / rows + 0.5));
            scan->path[y].y += d.y;
            scan->path[y].x += d.x;
        }
    }
};

// What appears at one place in the first picture appears displaced by this in the second.
struct Constant {
    Pair offset;    // px
    Pair velocity;  // px a row
};

// The constant drift, the same in both scans, at which local correlations add up to the most.
Constant constant_drift(const std::vector<LocalCorrelation>& local, const Side& first,
                        const Side& second, Shape shape, unsigned threads) {
    if (local.empty()) return {};
    const double rows = static_cast<double>(second.scan->shape.rows);
    std::vector<double> apart;  // between the times of both scans, in frames
    for (const LocalCorrelation& each : local) {
        apart.push_back((first.time(each.at, shape) - second.time(each.at, shape)) / rows);
    }
    constexpr std::size_t steps = 2 * (fastest / drift_step) + 1, side = 2 * offsets + 1;
    struct Best {
        float height = -1e30f;
        Pair offset;
    };
    std::vector<Best> best(steps * steps);
    const auto velocity = [](std::size_t i) {
        return static_cast<double>(static_cast<int>(i) * drift_step - fastest);
    };
    parallel_for(best.size(), threads, 4, [&](std::size_t begin, std::size_t end) {
        std::vector<float> sum(side * side);
        for (std::size_t v = begin; v < end; ++v) {
            std::fill(sum.begin(), sum.end(), 0.0f);
            for (std::size_t i = 0; i < local.size(); ++i) {
                const LocalCorrelation& each = local[i];
                const auto most = static_cast<double>(each.reach - offsets);
                const auto start = [&](double d) {
                    return static_cast<std::size_t>(std::lround(std::clamp(d, -most, most)) +
                                                    static_cast<long>(each.reach - offsets));
                };
                const std::size_t y = start(velocity(v / steps) * apart[i]),
                                  x = start(velocity(v % steps) * apart[i]);
                for (std::size_t r = 0; r < side; ++r) {
                    const float* const from = each.surface.data() + (y + r) * each.side() + x;
                    float* const to = sum.data() + r * side;
                    for (std::size_t c = 0; c < side; ++c) to[c] += from[c];
                }
            }
            const auto at =
                static_cast<std::size_t>(std::max_element(sum.begin(), sum.end()) - sum.begin());
            best[v].height = sum[at];
            best[v].offset = {static_cast<double>(at / side) - static_cast<double>(offsets),
                              static_cast<double>(at % side) - static_cast<double>(offsets)};
        }
    });
    const auto highest = std::max_element(
        best.begin(), best.end(), [](const Best& a, const Best& b) { return a.height < b.height; });
    const auto at = static_cast<std::size_t>(highest - best.begin());
    std::array<double, 4> found{highest->offset.y, highest->offset.x, velocity(at / steps),
                                velocity(at % steps)};
    const auto height = [&](const std::array<double, 4>& p) {
        double total = 0;
        for (std::size_t i = 0; i < local.size(); ++i) {
            total += local[i].value({p[0] + p[2] * apart[i], p[1] + p[3] * apart[i]});
        }
        return total;
    };
    double most = height(found);
    for (double step = 1; step > 0.1; step /= 2) {
        for (bool better = true; better;) {
            better = false;
            for (std::size_t k = 0; k < 8; ++k) {
                auto other = found;
                other[k / 2] += (k % 2 == 0 ? step : -step) * (k < 4 ? 0.5 : 1);
                const double value = height(other);
                if (value > most + 1e-9) {
                    most = value;
                    found = other;
                    better = true;
                }
            }
        }
    }
    return {{found[0], found[1]}, {found[2] / rows, found[3] / rows}};
}

struct Measured {
    Pair at, displacement;
    double weight = 0;
};

// The highest place of a surface, between pixels by a parabola along each axis; near ones count
// more, for on a lattice there are many.
Measured peak(const LocalCorrelation& local) {
    const auto side = static_cast<std::ptrdiff_t>(local.side()),
               reach = static_cast<std::ptrdiff_t>(local.reach);
    const auto at = [&](std::ptrdiff_t y, std::ptrdiff_t x) {
        return static_cast<double>(local.surface[static_cast<std::size_t>(y * side + x)]);
    };
    std::ptrdiff_t best_y = reach, best_x = reach;
    double best = -2;
    for (std::ptrdiff_t y = 1; y + 1 < side; ++y) {
        for (std::ptrdiff_t x = 1; x + 1 < side; ++x) {
            const double away =
                static_cast<double>((y - reach) * (y - reach) + (x - reach) * (x - reach));
            const double value = at(y, x) * std::exp(-away / static_cast<double>(reach * reach));
            if (value > best) {
                best = value;
                best_y = y;
                best_x = x;
            }
        }
    }
    const auto vertex = [](double before, double here, double after) {
        const double curvature = before - 2 * here + after;
        return curvature < 0 ? std::clamp(0.5 * (before - after) / curvature, -0.5, 0.5) : 0.0;
    };
    const double here = at(best_y, best_x);
    Measured result;
    result.at = local.at;
    result.displacement = {static_cast<double>(best_y - reach) +
                               vertex(at(best_y - 1, best_x), here, at(best_y + 1, best_x)),
                           static_cast<double>(best_x - reach) +
                               vertex(at(best_y, best_x - 1), here, at(best_y, best_x + 1))};
    result.weight = here > least_correlation ? here * here : 0;
    return result;
}

// Solves A x = b for two right-hand sides, A symmetric and positive definite, in place.
void solve(std::vector<double>& a, std::vector<Pair>& b) {
    const std::size_t n = b.size();
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = j; i < n; ++i) {
            double sum = a[i * n + j];
            for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / a[j * n + j];
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            b[i].y -= a[i * n + k] * b[k].y;
            b[i].x -= a[i * n + k] * b[k].x;
        }
        b[i].y /= a[i * n + i];
        b[i].x /= a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) {
            b[i].y -= a[k * n + i] * b[k].y;
            b[i].x -= a[k * n + i] * b[k].x;
        }
        b[i].y /= a[i * n + i];
        b[i].x /= a[i * n + i];
    }
}

// A uniform cubic B-spline over [0, 1].
struct Curve {
    std::size_t intervals;
    std::size_t size() const { return intervals + 3; }
    CubicTaps taps(double share) const {
        const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(intervals);
        // The last interval holds its end.
        return CubicTaps(std::min(place, static_cast<double>(intervals) - 1e-9));
    }
    Pair value(const Pair* coefficients, double share) const {
        const CubicTaps at = taps(share);
        Pair sum;
        for (std::size_t t = 0; t < 4; ++t) {
            const auto& c = coefficients[static_cast<std::size_t>(at.first + 1) + t];
            sum.y += static_cast<double>(at.value[t]) * c.y;
            sum.x += static_cast<double>(at.value[t]) * c.x;
        }
        return sum;
    }
};

// Displacements = curve of the first scan's rows - curve of the second's, by weighted least squares
// in which outliers lose their weight.
void fit_curves(const std::vector<Measured>& measured, Side& first, Side& second, Shape shape,
                std::size_t intervals) {
    const Curve curve{intervals};
    const std::size_t n = curve.size(), offset = first.scan != nullptr ? n : 0, all = offset + n;
    std::vector<Pair> coefficients(all);
    double total = 0;
    for (const Measured& each : measured) total += each.weight;
    if (!(total > 0)) return;
    for (int round = 0; round < 6; ++round) {
        std::vector<double> normal(all * all);
        std::vector<Pair> right(all);
        for (const Measured& each : measured) {
            std::array<std::pair<std::size_t, double>, 8> row{};
            std::size_t count = 0;
            Pair left = each.displacement;
            const auto term = [&](const Side& side, std::size_t from, double sign) {
                const double share = side.share(each.at, shape);
                const CubicTaps taps = curve.taps(share);
                for (std::size_t t = 0; t < 4; ++t) {
                    row[count++] = {from + static_cast<std::size_t>(taps.first + 1) + t,
                                    sign * static_cast<double>(taps.value[t])};
                }
                const Pair now = curve.value(coefficients.data() + from, share);
                left.y -= sign * now.y;
                left.x -= sign * now.x;
            };
            if (first.scan != nullptr) term(first, 0, 1);
            term(second, offset, -1);
            const double square = left.y * left.y + left.x * left.x;
            const double robust =
                round == 0 ? 1 : 1 / std::pow(1 + square / (doubtful * doubtful), 2);
            const double weight = each.weight * robust;
            for (std::size_t i = 0; i < count; ++i) {
                for (std::size_t j = 0; j < count; ++j) {
                    normal[row[i].first * all + row[j].first] +=
                        weight * row[i].second * row[j].second;
                }
                right[row[i].first].y += weight * row[i].second * each.displacement.y;
                right[row[i].first].x += weight * row[i].second * each.displacement.x;
            }
        }
        const double stiff = stiffness * total / static_cast<double>(all);
        for (std::size_t from = 0; from < all; from += n) {
            for (std::size_t i = 0; i + 2 < n; ++i) {
                const std::array<double, 3> bend{1, -2, 1};
                for (std::size_t j = 0; j < 3; ++j) {
                    for (std::size_t k = 0; k < 3; ++k) {
                        normal[(from + i + j) * all + from + i + k] += stiff * bend[j] * bend[k];
                    }
                }
            }
        }
        for (std::size_t i = 0; i < all; ++i) normal[i * all + i] += shrink * total;
        solve(normal, right);
        coefficients = right;
    }
    first.move(shape, [&](double, double s) { return curve.value(coefficients.data(), s); });
    second.move(shape,
                [&](double, double s) { return curve.value(coefficients.data() + offset, s); });
}

struct Round {
    std::size_t part;       // of the picture's shorter side that is a window
    std::size_t reach;      // px
    std::size_t intervals;  // of the splines
};

void align(Side& first, Side& second, Shape shape, unsigned threads) {
    const std::size_t side = std::min(shape.rows, shape.cols);
    const auto window = [side](std::size_t part) {
        return std::min(std::max(side / part, least_window), side);
    };
    first.render(shape, threads);
    second.render(shape, threads);
    Windows windows{window(4), 0, 0, 0};
    correlate_whole(first.picture, second.picture, shape, {shape.rows / 3, shape.cols / 3}, windows,
                    threads);
    windows.reach =
        std::min<std::size_t>(offsets + static_cast<std::size_t>(fastest), windows.side / 2 - 1);
    if (windows.reach > offsets) {
        const auto local = correlate(first.picture, second.picture, shape, windows, threads);
        Constant found = constant_drift(local, first, second, shape, threads);
        found.offset.y += static_cast<double>(windows.y);
        found.offset.x += static_cast<double>(windows.x);
        const auto drifted = [&](double time, double) {
            return Pair{found.velocity.y * time, found.velocity.x * time};
        };
        first.move(shape, drifted);
        second.move(shape, [&](double time, double) {
            const Pair d = drifted(time, 0);
            return Pair{d.y - found.offset.y, d.x - found.offset.x};
        });
    }
    for (const Round& round : {Round{4, 8, 3}, Round{8, 6, 6}, Round{8, 4, 10}}) {
        first.render(shape, threads);
        second.render(shape, threads);
        std::vector<Measured> measured;
        const Windows small{window(round.part), round.reach, 0, 0};
        for (const LocalCorrelation& each :
             correlate(first.picture, second.picture, shape, small, threads)) {
            measured.push_back(peak(each));
        }
        fit_curves(measured, first, second, shape, round.intervals);
    }
}

}  // namespace

void align_pair(Scan& first, Scan& second, Shape picture, unsigned threads) {
    Side one{&first, {}}, other{&second, {}};
    align(one, other, picture, threads);
}

void align_to(const std::vector<float>& placed, Scan& second, Shape picture, unsigned threads) {
    Side one{nullptr, placed}, other{&second, {}};
    align(one, other, picture, threads);
}

}  // namespace stemzoo::scan
