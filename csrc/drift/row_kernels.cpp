// Compiled once for each instruction set; see core/fft.hpp.
#include <algorithm>
#include <cmath>

#include "core/scratch.hpp"
#include "drift/row_vectors.hpp"

namespace stemzoo::STEMZOO_ISA {
namespace {

// The sums of `count` instruments, from `first` on.
template <std::size_t first, std::size_t count>
void add_moments(const drift::PixelRow& r, drift::Variance variance, drift::Moments& sums) {
    V total[count][5] = {}, weight{};
    // From the row's first pixel on, whose weight is zero: vectors stay aligned.
    for (std::size_t x = 0; x < r.cols; x += L) {
        const V t = load(r.scene + x), w = load(r.weights + x);
        const V u = w / at_least(t * variance.b + variance.a, variance.least);
        const V shifted = load(r.shifted + x), moving = load(r.moving + x);
        const V gy = gradient_y(r.moving + x, r.pitch), gx = gradient_x(r.moving + x);
        for (std::size_t i = 0; i < count; ++i) {
            const V z = instrument(first + i, u, t, r.scene + x, r.scene_pitch);
            total[i][0] += z;
            total[i][1] += z * shifted;
            total[i][2] -= z * gy;
            total[i][3] -= z * gx;
            total[i][4] += z * moving;
        }
        weight += w;
    }
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < 5; ++j) sums.total[first + i][j] = sum(total[i][j]);
    }
    sums.weight = sum(weight);
}

inline V capped(const float* values, V limit) {
    const V v = load(values);
    return v < limit ? v : limit;
}

template <std::size_t N>
Vector<std::int32_t, N> maxima(const float* at, std::size_t pitch) {
    const auto value = [](const float* from) { return stemzoo::STEMZOO_ISA::load<float, N>(from); };
    const float *const up = at - pitch, *const down = at + pitch;
    const Vector<float, N> v = value(at);
    return (v > 0.0f) & (v >= value(up - 1)) & (v >= value(up)) & (v >= value(up + 1)) &
           (v >= value(at - 1)) & (v > value(at + 1)) & (v > value(down - 1)) & (v > value(down)) &
           (v > value(down + 1));
}

class RowKernels final : public drift::Kernels {
  public:
    void heights(const float* re, const float* im, std::size_t count, float* out) const override {
        for (std::size_t x = 0; x < count; ++x) out[x] = std::sqrt(re[x] * re[x] + im[x] * im[x]);
    }

    double capped_sum(const float* values, std::size_t count, float cap) const override {
        constexpr std::size_t piece = 64 * L;  // too short to lose anything in float32
        const V limit = V{} + cap;
        double total = 0;
        std::size_t i = 0;
        while (i + L <= count) {
            V part{};
            const std::size_t end = std::min(i + piece, count);
            for (; i + 4 * L <= end; i += 4 * L) {
                part += capped(values + i, limit);
                part += capped(values + i + L, limit);
                part += capped(values + i + 2 * L, limit);
                part += capped(values + i + 3 * L, limit);
            }
            for (; i + L <= end; i += L) part += capped(values + i, limit);
            total += sum(part);
        }
        for (; i < count; ++i) total += static_cast<double>(std::min(values[i], cap));
        return total;
    }

    void compress(float* values, std::size_t count) const override {
        for (std::size_t i = 0; i < count; ++i) {
            const float x = std::min(std::abs(values[i]), 1e38f);
            values[i] = std::copysign(asinh_of(x), values[i]);
        }
    }

    void power(const float* re, const float* im, std::size_t cols, float* out) const override {
        constexpr std::size_t reach = drift::power_reach;
        const Scratch<float> line(cols + 2 * reach);
        float* const powers = line.data();
        for (std::size_t x = 0; x < cols; ++x) powers[reach + x] = re[x] * re[x] + im[x] * im[x];
        std::copy_n(powers + cols, reach, powers);
        std::copy_n(powers + reach, reach, powers + reach + cols);
        for (std::size_t x = 0; x < cols; ++x) {
            float total = 0;
            for (std::size_t i = 0; i <= 2 * reach; ++i) total += powers[x + i];
            out[x] = total;
        }
    }

    void filter(const float* a, const float* b, const float* response, float threshold,
                std::size_t cols, float* h, drift::FilterSums& sums) const override {
        V reference{}, moving{}, passes{}, passes_ss{};
        for (std::size_t x = 0; x < cols; x += L) {  // rows are padded with zeros
            const V pa = load(a + x), pb = load(b + x), s = load(response + x);
            const V signal = at_least((pa + pb) * 0.5f - threshold, 0.0f);
            const V passed = signal / (signal + 0.5f);
            store(passed, h + x);
            reference += signal * pa;
            moving += signal * pb;
            passes += passed;
            passes_ss += passed * s * s;
        }
        sums = {sum(reference), sum(moving), sum(passes), sum(passes_ss)};
    }

    void shift(const drift::ShiftRow& r) const override {
        for (std::size_t x = 0; x < r.cols; x += L) {  // rows are padded
            const V px = load(r.phase_re + x), py = load(r.phase_im + x);
            const V re = px * r.row_re - py * r.row_im, im = px * r.row_im + py * r.row_re;
            const V ar = load(r.a_re + x), ai = load(r.a_im + x);
            const V sr = ar * re - ai * im, si = ar * im + ai * re;
            store(sr, r.shifted_re + x);
            store(si, r.shifted_im + x);
            const V h = load(r.filter + x);
            store(h * (sr * r.a_part + load(r.b_re + x) * r.b_part), r.scene_re + x);
            store(h * (si * r.a_part + load(r.b_im + x) * r.b_part), r.scene_im + x);
        }
    }

    drift::BandPower band_power(const drift::BandRow& r, std::size_t cols, float loud,
                                float shown2) const override {
        V total{}, beyond{};
        const V zero{}, limit = zero + loud, shown = zero + shown2;
        const bool all = r.y2 > shown2;
        std::size_t x = 0;
        for (; x + L <= cols; x += L) {
            const V re = load(r.re + x), im = load(r.im + x), x2 = load(r.x2 + x);
            const V here = re * re + im * im;
            const V passes = here > limit ? here * band(r, x2, load(r.along + x)) : zero;
            total += passes;
            beyond += x2 > shown ? passes : zero;
        }
        drift::BandPower power{sum(total), sum(beyond)};
        for (; x < cols; ++x) {
            const float here = r.re[x] * r.re[x] + r.im[x] * r.im[x];
            if (!(here > loud)) continue;
            const auto passes = static_cast<double>(here * band(r, r.x2[x], r.along[x]));
            power.total += passes;
            if (r.x2[x] > shown2) power.beyond += passes;
        }
        if (all) power.beyond = power.total;
        return power;
    }

    void band_pass(const drift::BandRow& r, std::size_t begin, std::size_t count, float scale,
                   float* re, float* im) const override {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t x = begin + i;
            const float root = scale * std::sqrt(band(r, r.x2[x], r.along[x]));
            re[i] = r.re[x] * root;
            im[i] = r.im[x] * root;
        }
    }

    void hann_along(const float* re, const float* im, std::size_t cols, float turn_re,
                    float turn_im, float* out_re, float* out_im) const override {
        const auto one = [&](std::size_t before, std::size_t x, std::size_t after) {
            out_re[x] =
                hann(re[x], re[before], re[after], im[after] - im[before], turn_re, turn_im);
            out_im[x] =
                hann(im[x], im[before], im[after], re[before] - re[after], turn_re, turn_im);
        };
        one(cols - 1, 0, 1);
        std::size_t x = 1;
        for (; x + 1 + L <= cols; x += L) {
            const V br = load(re + x - 1), ar = load(re + x + 1), bi = load(im + x - 1),
                    ai = load(im + x + 1);
            store(hann(load(re + x), br, ar, ai - bi, turn_re, turn_im), out_re + x);
            store(hann(load(im + x), bi, ai, br - ar, turn_re, turn_im), out_im + x);
        }
        for (; x + 1 < cols; ++x) one(x - 1, x, x + 1);
        one(cols - 2, cols - 1, 0);
    }

    void hann_heights(const float* before, const float* here, const float* after, std::size_t pitch,
                      std::size_t cols, float turn_re, float turn_im, float* out) const override {
        for (std::size_t x = 0; x < cols; ++x) {
            const float br = before[x], bi = before[pitch + x], ar = after[x],
                        ai = after[pitch + x];
            const float re = hann(here[x], br, ar, ai - bi, turn_re, turn_im),
                        im = hann(here[pitch + x], bi, ai, br - ar, turn_re, turn_im);
            out[x] = std::sqrt(re * re + im * im);
        }
    }

    double common_power(const float* x, const float* y, std::size_t count, float limit_x,
                        float limit_y) const override {
        constexpr std::size_t piece = 64 * L;  // too short to lose anything in float32
        double total = 0;
        std::size_t i = 0;
        while (i + L <= count) {
            V part{};
            for (const std::size_t end = std::min(i + piece, count); i + L <= end; i += L) {
                const V a = load(x + i), b = load(y + i);
                part += a * b - at_least(a - limit_x, 0.0f) * at_least(b - limit_y, 0.0f);
            }
            total += sum(part);
        }
        for (; i < count; ++i) {
            total += static_cast<double>(x[i] * y[i] - std::max(x[i] - limit_x, 0.0f) *
                                                           std::max(y[i] - limit_y, 0.0f));
        }
        return total;
    }

    void mark_maxima(const float* row, std::size_t pitch, std::size_t count,
                     std::int32_t* marks) const override {
        std::size_t x = 0;
        for (; x + L <= count; x += L) store(maxima<L>(row + x, pitch), marks + x);
        for (; x < count; ++x) marks[x] = maxima<1>(row + x, pitch)[0];
    }

    void overlap(const float* a, const float* b, std::size_t count,
                 drift::OverlapSums& sums) const override {
        constexpr std::size_t piece = 64 * L;
        std::size_t i = 0;
        while (i + L <= count) {
            V sa{}, sb{}, saa{}, sbb{}, sab{};
            for (const std::size_t end = std::min(i + piece, count); i + L <= end; i += L) {
                const V x = load(a + i), y = load(b + i);
                sa += x;
                sb += y;
                saa += x * x;
                sbb += y * y;
                sab += x * y;
            }
            sums.a += sum(sa);
            sums.b += sum(sb);
            sums.aa += sum(saa);
            sums.bb += sum(sbb);
            sums.ab += sum(sab);
        }
        for (; i < count; ++i) {
            const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
            sums.a += x;
            sums.b += y;
            sums.aa += x * x;
            sums.bb += y * y;
            sums.ab += x * y;
        }
    }

    void shift_reference(const drift::ShiftRow& r) const override {
        for (std::size_t x = 0; x < r.cols; x += L) {
            const V px = load(r.phase_re + x), py = load(r.phase_im + x);
            const V re = px * r.row_re - py * r.row_im, im = px * r.row_im + py * r.row_re;
            const V ar = load(r.a_re + x), ai = load(r.a_im + x);
            store(ar * re - ai * im, r.shifted_re + x);
            store(ar * im + ai * re, r.shifted_im + x);
        }
    }

    void product(const float* a_re, const float* a_im, const float* b_re, const float* b_im,
                 std::size_t count, float* re, float* im) const override {
        std::size_t x = 0;
        for (; x + L <= count; x += L) {
            const V ar = load(a_re + x), ai = load(a_im + x), br = load(b_re + x),
                    bi = load(b_im + x);
            store(ar * br + ai * bi, re + x);
            store(ar * bi - ai * br, im + x);
        }
        for (; x < count; ++x) {
            re[x] = a_re[x] * b_re[x] + a_im[x] * b_im[x];
            im[x] = a_re[x] * b_im[x] - a_im[x] * b_re[x];
        }
    }

    drift::TurnedSums turned(const drift::TurnedRow& r, std::size_t cols) const override {
        V re[3] = {}, im[3] = {};
        std::size_t x = 0;
        for (; x + L <= cols; x += L) {
            const V ar = load(r.a_re + x), ai = load(r.a_im + x), br = load(r.b_re + x),
                    bi = load(r.b_im + x), c = load(r.phase_re + x), s = load(r.phase_im + x),
                    k = load(r.frequency + x);
            const V pr = ar * br + ai * bi, pi = ar * bi - ai * br;
            V tr = pr * c - pi * s, ti = pr * s + pi * c;
            for (std::size_t i = 0; i < 3; ++i) {
                re[i] += tr;
                im[i] += ti;
                tr *= k;
                ti *= k;
            }
        }
        drift::TurnedSums sums{{sum(re[0]), sum(re[1]), sum(re[2])},
                               {sum(im[0]), sum(im[1]), sum(im[2])}};
        for (; x < cols; ++x) {
            const float pr = r.a_re[x] * r.b_re[x] + r.a_im[x] * r.b_im[x],
                        pi = r.a_re[x] * r.b_im[x] - r.a_im[x] * r.b_re[x];
            auto tr = static_cast<double>(pr * r.phase_re[x] - pi * r.phase_im[x]),
                 ti = static_cast<double>(pr * r.phase_im[x] + pi * r.phase_re[x]);
            for (std::size_t i = 0; i < 3; ++i) {
                sums.re[i] += tr;
                sums.im[i] += ti;
                tr *= static_cast<double>(r.frequency[x]);
                ti *= static_cast<double>(r.frequency[x]);
            }
        }
        return sums;
    }

    void add_product(const float* a_re, const float* a_im, const float* b_re, const float* b_im,
                     std::size_t count, float weight, float* re, float* im) const override {
        std::size_t x = 0;
        for (; x + L <= count; x += L) {
            const V ar = load(a_re + x), ai = load(a_im + x), br = load(b_re + x),
                    bi = load(b_im + x);
            store(load(re + x) + (ar * br + ai * bi) * weight, re + x);
            store(load(im + x) + (ar * bi - ai * br) * weight, im + x);
        }
        for (; x < count; ++x) {
            re[x] += weight * (a_re[x] * b_re[x] + a_im[x] * b_im[x]);
            im[x] += weight * (a_re[x] * b_im[x] - a_im[x] * b_re[x]);
        }
    }

    void moments(const drift::PixelRow& r, drift::Variance variance,
                 drift::Moments& sums) const override {
        // As many sums at once as stay in registers: twenty of the 32 that AVX-512 has, or ten.
        if constexpr (L == 16) {
            add_moments<0, 4>(r, variance, sums);
        } else {
            add_moments<0, 2>(r, variance, sums);
            add_moments<2, 2>(r, variance, sums);
        }
    }

    void residuals(const drift::PixelRow& r, drift::Variance variance, drift::Fit fit,
                   drift::ResidualSums& sums) const override {
        V one{}, st{}, stt{}, sd{}, std_{}, weight{}, weighted{};
        for (std::size_t x = 0; x < r.cols; x += L) {
            const V t = load(r.scene + x), w = load(r.weights + x);
            const V gy = gradient_y(r.scene + x, r.scene_pitch), gx = gradient_x(r.scene + x);
            const V d = load(r.moving + x) - load(r.shifted + x) * fit.gain - fit.offset +
                        gy * fit.dy + gx * fit.dx;
            const V v = at_least(t * variance.b + variance.a, variance.least);
            const V u = w / (v * v), d2 = d * d;
            one += u;
            st += u * t;
            stt += u * t * t;
            sd += u * d2;
            std_ += u * t * d2;
            weight += w;
            weighted += w * d2;
        }
        sums.one += sum(one);
        sums.t += sum(st);
        sums.tt += sum(stt);
        sums.d += sum(sd);
        sums.td += sum(std_);
        sums.weight += sum(weight);
        sums.weighted_d += sum(weighted);
    }

    void weighted_sum(const float* from, std::size_t pitch, const float* weights, std::size_t terms,
                      std::size_t count, float* out) const override {
        std::size_t x = 0;
        for (; x + 4 * L <= count; x += 4 * L) {
            V a{}, b{}, c{}, d{};  // GCC would keep an array of them in memory
            const float* at = from + x;
            for (std::size_t i = 0; i < terms; ++i, at += pitch) {
                a += load(at) * weights[i];
                b += load(at + L) * weights[i];
                c += load(at + 2 * L) * weights[i];
                d += load(at + 3 * L) * weights[i];
            }
            store(a, out + x);
            store(b, out + x + L);
            store(c, out + x + 2 * L);
            store(d, out + x + 3 * L);
        }
        for (; x < count; ++x) {
            out[x] = 0;
            for (std::size_t i = 0; i < terms; ++i) out[x] += from[i * pitch + x] * weights[i];
        }
    }
};

}  // namespace

const drift::Kernels& drift_kernels() {
    static const RowKernels kernels;
    return kernels;
}

}  // namespace stemzoo::STEMZOO_ISA
