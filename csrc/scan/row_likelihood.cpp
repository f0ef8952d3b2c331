#include "scan/row_likelihood.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/parallel.hpp"
#include "scan/cubic_spline.hpp"

namespace stemzoo::scan {
namespace {

constexpr float outlier = 6;  // residuals are clipped at this many standard deviations
constexpr double longest_step = 0.5;
constexpr double wander = 1;         // px that refinement may leave its start
constexpr double taps = 3;           // px that interpolation reaches beyond a place
constexpr double converged = 0.001;  // px: with more, rows at the ends depend on rounding errors
constexpr int most_steps = 20;
constexpr std::size_t grain = 8;  // rows
constexpr float nothing = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();

bool finite(float v) { return std::abs(v) <= largest; }

// Lanes of float32 products, added up in float64 every `piece`.
double dot(const float* a, const float* b, std::size_t count) {
    constexpr std::size_t lanes = 16, piece = 16 * lanes;
    double total = 0;
    std::size_t i = 0;
    while (i + lanes <= count) {
        float part[lanes] = {};
        for (const std::size_t end = std::min(i + piece, count); i + lanes <= end; i += lanes) {
            for (std::size_t l = 0; l < lanes; ++l) part[l] += a[i + l] * b[i + l];
        }
        for (const float p : part) total += static_cast<double>(p);
    }
    for (; i < count; ++i) total += static_cast<double>(a[i] * b[i]);
    return total;
}

// Noise less its linear prediction from the pixels before, in place.
void whiten(float* line, std::size_t count, const NoiseModel& noise) {
    constexpr std::size_t order = NoiseModel::order;
    for (std::size_t x = count; x-- > order;) {
        float predicted = 0;
        for (std::size_t k = 0; k < order; ++k) predicted += noise.white[k] * line[x - 1 - k];
        line[x] -= predicted;
    }
    std::fill_n(line, std::min(order, count), 0.0f);
}

std::size_t clamped(std::ptrdiff_t row, std::size_t rows) {
    return static_cast<std::size_t>(
        std::clamp<std::ptrdiff_t>(row, 0, static_cast<std::ptrdiff_t>(rows) - 1));
}

}  // namespace

struct RowLikelihood::Lines {
    explicit Lines(std::size_t cols)
        : size(cols),
          value(cols),
          across(cols),
          model(cols),
          along(cols),
          steep(cols),
          one(cols),
          gain(cols) {}
    std::size_t size;
    Scratch<float> value, across;  // coefficients of the row and of its derivative across rows
    Scratch<float> model, along, steep;  // the pilot there and its derivatives along x and y
    Scratch<float> one, gain;            // what a change of the row's offset and gain would add
};

RowLikelihood::RowLikelihood(const float* image, const float* pilot, Shape shape, Reach reach,
                             unsigned threads)
    : shape_(shape),
      reach_(reach),
      threads_(threads),
      image_(shape.size()),
      pilot_(shape.size()),
      spline_(shape.size()) {
    double total = 0, squares = 0;
    const auto size = static_cast<double>(shape.size());
    for (std::size_t i = 0; i < shape.size(); ++i) total += static_cast<double>(pilot[i]);
    const double mean = total / size;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        squares += std::pow(static_cast<double>(pilot[i]) - mean, 2);
    }
    const double deviation = std::sqrt(squares / size);
    const double scale = deviation > 1e-6 * std::abs(mean) ? 1 / deviation : 0;
    const auto standard = [=](float v) {
        return static_cast<float>((static_cast<double>(v) - mean) * scale);
    };
    parallel_for(shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t y = begin; y < end; ++y) {
            const std::size_t at = y * shape.cols;
            const float* const from = image + at;
            const bool constant =
                std::all_of(from, from + shape.cols, [=](float v) { return v == from[0]; });
            for (std::size_t x = 0; x < shape.cols; ++x) {
                pilot_[at + x] = spline_[at + x] = standard(pilot[at + x]);
                image_[at + x] = finite(from[x]) && !constant ? standard(from[x]) : nothing;
            }
            spline_along_row(spline_.data() + at, shape.cols);
        }
    });
    spline_across_rows(spline_.data(), shape);
}

void RowLikelihood::interpolate(std::size_t row, Pair at, std::size_t begin, std::size_t end,
                                const Lines& lines) const {
    const CubicTaps down(static_cast<double>(row) + at.y), right(at.x);
    const float* from[4];
    for (std::size_t t = 0; t < 4; ++t) {
        const auto k = down.first + static_cast<std::ptrdiff_t>(t);
        from[t] = spline_.data() + mirrored(k, shape_.rows) * shape_.cols;
    }
    // Margins leave room for the taps: begin + right.first >= 0.
    const auto low = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(begin) + right.first);
    const std::size_t count = end - begin;
    float *const value = lines.value.data(), *const across = lines.across.data();
    const bool slopes = reach_.y > 0;
    for (std::size_t x = 0; x < count + 3; ++x) {
        const float a = from[0][low + x], b = from[1][low + x], c = from[2][low + x],
                    d = from[3][low + x];
        value[x] = down.value[0] * a + down.value[1] * b + down.value[2] * c + down.value[3] * d;
        if (!slopes) continue;
        across[x] = down.slope[0] * a + down.slope[1] * b + down.slope[2] * c + down.slope[3] * d;
    }
    const auto &v = right.value, &s = right.slope;
    float *const model = lines.model.data(), *const along = lines.along.data(),
                 *const steep = lines.steep.data();
    for (std::size_t x = 0; x < count; ++x) {
        const float *const p = value + x, *const q = across + x;
        model[x] = v[0] * p[0] + v[1] * p[1] + v[2] * p[2] + v[3] * p[3];
        along[x] = s[0] * p[0] + s[1] * p[1] + s[2] * p[2] + s[3] * p[3];
        steep[x] = slopes ? v[0] * q[0] + v[1] * q[1] + v[2] * q[2] + v[3] * q[3] : 0.0f;
    }
}

NoiseModel RowLikelihood::noise(const std::vector<RowFit>& rows) const {
    if (rows.empty()) {
        return measure_noise(image_.data(), pilot_.data(), shape_, reach_.x + 3, threads_);
    }
    const Scratch<float> model(shape_.size());
    std::copy_n(pilot_.data(), shape_.size(), model.data());
    parallel_for(shape_.rows, threads_, grain, [&](std::size_t begin, std::size_t end) {
        const Lines lines(shape_.cols);
        const std::size_t margin = reach_.x + 3;
        for (std::size_t y = begin; y < end; ++y) {
            interpolate(y, rows[y].at, margin, shape_.cols - margin, lines);
            std::copy_n(lines.model.data(), shape_.cols - 2 * margin,
                        model.data() + y * shape_.cols + margin);
        }
    });
    return measure_noise(image_.data(), model.data(), shape_, reach_.x + 3, threads_);
}

// Q = (n A - B) / level of A = log(1 + slope p) / slope and B = (p - A) / slope, where the variance
// is level (1 + slope p). Their limits for small slopes are p and p^2 / 2.
void RowLikelihood::search(const NoiseModel& noise) {
    const std::size_t H = shape_.rows, W = shape_.cols;
    std::array<Scratch<float>, 2> planes;  // on whole and on half pixels along the row
    std::vector<double> sums(2 * H * (W + 1));
    const auto slope = static_cast<float>(noise.slope);
    const bool curved = std::abs(slope) > 1e-3f;
    for (std::size_t plane = 0; plane < 2; ++plane) {
        planes[plane] = Scratch<float>(H * W);
        const Pair at{0, plane == 0 ? 0 : 0.5};
        parallel_for(H, threads_, grain, [&](std::size_t begin, std::size_t end) {
            const Lines lines(W);
            for (std::size_t y = begin; y < end; ++y) {
                interpolate(y, at, 1, W - 2, lines);
                float* const a = planes[plane].data() + y * W;
                double* const sum = sums.data() + (plane * H + y) * (W + 1);
                std::fill_n(sum, W + 1, 0.0);
                for (std::size_t x = 0; x < W; ++x) {
                    const float p = lines.model[std::clamp<std::size_t>(x, 1, W - 3) - 1];
                    float b = p * p / 2;
                    a[x] = p;
                    if (curved) {
                        a[x] = std::log(std::max(1 + slope * p, noise.least)) / slope;
                        b = (p - a[x]) / slope;
                    }
                    sum[x + 1] = sum[x] + static_cast<double>(b);
                }
            }
        });
    }
    // What no place of the pilot explains, such as a hot pixel, must not decide.
    const auto range = std::minmax_element(pilot_.data(), pilot_.data() + shape_.size());
    const auto deviation = static_cast<float>(std::sqrt(
        noise.level * std::max(1.0, 1 + noise.slope * static_cast<double>(*range.second))));
    const float low = *range.first - outlier * deviation,
                high = *range.second + outlier * deviation;
    table_.assign(H * steps_y() * steps_x(), 0);
    const std::size_t margin = reach_.x + 3, count = W - 2 * margin;
    const auto half = [](std::ptrdiff_t step) { return step >= 0 ? step / 2 : -((1 - step) / 2); };
    parallel_for(H, threads_, grain, [&](std::size_t begin, std::size_t end) {
        const Scratch<float> line(W);
        for (std::size_t y = begin; y < end; ++y) {
            for (std::size_t x = 0; x < W; ++x) {
                const float n = image_[y * W + x];
                line[x] = finite(n) ? std::clamp(n, low, high) : pilot_[y * W + x];
            }
            float* to = table_.data() + y * steps_y() * steps_x();
            const auto ry = static_cast<std::ptrdiff_t>(reach_.y),
                       rx = 2 * static_cast<std::ptrdiff_t>(reach_.x);
            for (std::ptrdiff_t sy = -ry; sy <= ry; ++sy) {
                const std::size_t row = clamped(static_cast<std::ptrdiff_t>(y) + sy, H);
                for (std::ptrdiff_t sx = -rx; sx <= rx; ++sx) {
                    const auto plane = static_cast<std::size_t>(sx & 1);
                    const auto from =
                        static_cast<std::size_t>(static_cast<std::ptrdiff_t>(margin) + half(sx));
                    const double* const sum = sums.data() + (plane * H + row) * (W + 1);
                    const double q =
                        dot(line.data() + margin, planes[plane].data() + row * W + from, count) -
                        (sum[from + count] - sum[from]);
                    *to++ = static_cast<float>(q / noise.level);
                }
            }
        }
    });
}

std::vector<Pair> RowLikelihood::maxima(std::size_t row, Pair precision, Pair limit) const {
    const float* value = table_.data() + row * steps_y() * steps_x();
    std::vector<Pair> at(steps_y());
    std::vector<double> height(steps_y(), -std::numeric_limits<double>::infinity());
    for (std::size_t j = 0; j < steps_y(); ++j) {
        const double y = static_cast<double>(j) - static_cast<double>(reach_.y);
        for (std::size_t i = 0; i < steps_x(); ++i) {
            const double x = static_cast<double>(i) / 2 - static_cast<double>(reach_.x);
            const double posterior =
                static_cast<double>(*value++) - 0.5 * (precision.y * y * y + precision.x * x * x);
            const bool within = std::abs(x) <= limit.x && std::abs(y) <= limit.y;
            if (within && posterior > height[j]) {
                height[j] = posterior;
                at[j] = {y, x};
            }
        }
    }
    std::vector<std::size_t> found;
    for (std::size_t j = 0; j < steps_y(); ++j) {
        const bool rises = j == 0 || height[j] > height[j - 1];
        const bool falls = j + 1 == steps_y() || height[j] >= height[j + 1];
        if (rises && falls) found.push_back(j);
    }
    if (found.empty()) return {Pair{}};  // nothing is known of the row
    std::stable_sort(found.begin(), found.end(),
                     [&](std::size_t a, std::size_t b) { return height[a] > height[b]; });
    std::vector<Pair> result;
    for (const std::size_t j : found) result.push_back(at[j]);
    return result;
}

// The row's own offset and gain are nuisance parameters: what they explain does not count. Across
// rows, the flank of a column looks like a row of another gain.
RowFit RowLikelihood::evaluate(std::size_t row, Pair at, double edge, const NoiseModel& noise,
                               const Lines& lines) const {
    const auto margin = static_cast<std::size_t>(edge);
    // The outermost columns come and go by degrees: a row would jump where one does at once.
    const auto outermost = static_cast<float>(std::sqrt(1 - (edge - std::floor(edge))));
    const std::size_t count = shape_.cols - 2 * margin;
    interpolate(row, at, margin, shape_.cols - margin, lines);
    float *const e = lines.model.data(), *const hx = lines.along.data(),
                 *const hy = lines.steep.data(), *const one = lines.one.data(),
                 *const gain = lines.gain.data();
    const float* const n = image_.data() + row * shape_.cols + margin;
    const auto level = static_cast<float>(noise.level), slope = static_cast<float>(noise.slope);
    std::size_t pixels = 0;
    for (std::size_t x = 0; x < count; ++x) {
        const float off = n[x] - e[x];
        const bool known = finite(off);
        pixels += known;
        const float variance = level * std::max(1 + slope * e[x], noise.least);
        const float share = x == 0 || x + 1 == count ? outermost : 1;
        const float weight = known ? share / std::sqrt(variance) : 0.0f;
        gain[x] = e[x] * weight;
        e[x] = std::min(std::max((known ? off : 0.0f) * weight, -outlier), outlier);
        hx[x] *= weight;
        hy[x] *= weight;
        one[x] = weight;
    }
    if (noise.coloured) {
        for (float* line : {e, hx, hy, one, gain}) whiten(line, count, noise);
    }
    const double oo = dot(one, one, count) + noise.level_precision, og = dot(one, gain, count),
                 gg = dot(gain, gain, count) + noise.level_precision,
                 determinant = oo * gg - og * og;
    struct Line {
        const float* value;
        double o, g;  // inner products with `one` and `gain`
    };
    const auto line = [&](const float* value) {
        return Line{value, dot(value, one, count), dot(value, gain, count)};
    };
    const auto inner = [&](const Line& a, const Line& b) {
        const double product = dot(a.value, b.value, count);
        if (!(oo > 0)) return 0.0;
        if (!(determinant > 1e-9 * oo * gg)) return product - a.o * b.o / oo;
        return product -
               (gg * a.o * b.o + oo * a.g * b.g - og * (a.o * b.g + a.g * b.o)) / determinant;
    };
    const Line le = line(e), lx = line(hx);
    RowFit fit;
    fit.at = at;
    const double squares = inner(le, le);
    fit.likelihood = -0.5 * squares;
    fit.misfit = squares / (std::max<double>(static_cast<double>(pixels), 1) * noise.unpredicted);
    fit.xx = inner(lx, lx);
    fit.score.x = inner(le, lx);
    if (reach_.y > 0) {
        const Line ly = line(hy);
        fit.yy = inner(ly, ly);
        fit.yx = inner(ly, lx);
        fit.score.y = inner(le, ly);
    }
    return fit;
}

RowFit RowLikelihood::refine(std::size_t row, Pair start, const NoiseModel& noise,
                             Pair precision) const {
    const Lines lines(shape_.cols);
    const double edge = std::abs(start.x) + wander + taps;
    Pair at = start;
    for (int step = 0;; ++step) {
        const RowFit fit = evaluate(row, at, edge, noise, lines);
        if (step == most_steps) return fit;
        const double yy = fit.yy + precision.y, xx = fit.xx + precision.x;
        const double uy = fit.score.y - precision.y * at.y, ux = fit.score.x - precision.x * at.x;
        const double determinant = yy * xx - fit.yx * fit.yx;
        Pair move;
        if (reach_.y == 0) {
            if (xx > 0) move.x = ux / xx;
        } else if (determinant > 0) {
            move = {(xx * uy - fit.yx * ux) / determinant, (yy * ux - fit.yx * uy) / determinant};
        }
        // Clipped in length, and shorter each time, lest it go to and fro.
        const double limit = longest_step * std::pow(0.9, step);
        const double length = std::hypot(move.y, move.x),
                     part = length > limit ? limit / length : 1;
        const Pair next{std::clamp(at.y + part * move.y, start.y - wander, start.y + wander),
                        std::clamp(at.x + part * move.x, start.x - wander, start.x + wander)};
        if (std::hypot(next.y - at.y, next.x - at.x) < converged) return fit;
        at = next;
    }
}

}  // namespace stemzoo::scan
