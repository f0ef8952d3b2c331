#include "drift/waves.hpp"

#include <algorithm>
#include <cmath>
#include <complex>

namespace stemzoo::drift {
namespace {

using Complex = std::complex<float>;

constexpr double pi = 3.14159265358979323846;
constexpr std::size_t fine = 16;    // points to a frequency
constexpr std::ptrdiff_t seen = 2;  // frequencies on either side of a peak that tell where it is
constexpr std::size_t side = 2 * seen + 1;
constexpr int rounds = 6;  // of finding out, at most
constexpr int passes = 2;  // over all waves: each is found better without the others' feet
constexpr float most = 1;  // frequencies: how far a wave may be from where its peak is highest

struct Wave {
    std::ptrdiff_t row, col;
    float down = 0, across = 0;  // how far from there
    Complex height = 0;
};

// Values at neighbouring frequencies of a row.
struct Line {
    // What the other half of a real signal's spectrum has.
    Line mirrored() const {
        Line line{{re.rbegin(), re.rend()}, {im.rbegin(), im.rend()}};
        for (float& x : line.im) x = -x;
        return line;
    }

    std::vector<float> re, im;
};

// The frequencies of a whole spectrum, of which the layout holds half.
class Whole {
  public:
    Whole(const SpectrumLayout& layout, float* spectrum)
        : layout_(layout),
          spectrum_(spectrum),
          rows_(static_cast<std::ptrdiff_t>(layout.image.rows)),
          cols_(static_cast<std::ptrdiff_t>(layout.image.cols)) {}

    Complex at(std::ptrdiff_t row, std::ptrdiff_t col) const {
        const std::size_t y = row_of(row);
        const bool held = y < layout_.rows;
        const std::size_t ky = held ? y : row_of(-row), kx = col_of(held ? col : -col);
        const Complex value{layout_.real(spectrum_, ky)[kx], layout_.imaginary(spectrum_, ky)[kx]};
        return held ? value : std::conj(value);
    }

    // Adds to a row of frequencies and to its mirror image, whichever of them is held, or both.
    void add(std::ptrdiff_t row, std::ptrdiff_t col, Complex factor, const Line& values,
             const Line& mirrored) {
        const auto last = col + static_cast<std::ptrdiff_t>(values.re.size()) - 1;
        if (const std::size_t ky = row_of(row); ky < layout_.rows) {
            add_held(ky, col_of(col), factor, values);
        }
        if (const std::size_t ky = row_of(-row); ky < layout_.rows) {
            add_held(ky, col_of(-last), std::conj(factor), mirrored);
        }
    }

    // Without the standard's care for infinities.
    static Complex times(Complex a, Complex b) {
        return {a.real() * b.real() - a.imag() * b.imag(),
                a.real() * b.imag() + a.imag() * b.real()};
    }

  private:
    void add_held(std::size_t ky, std::size_t kx, Complex factor, const Line& values) {
        const float f_re = factor.real(), f_im = factor.imag();
        for (std::size_t done = 0; done < values.re.size(); kx = 0) {
            const std::size_t count = std::min(values.re.size() - done, layout_.image.cols - kx);
            float *const re = layout_.real(spectrum_, ky) + kx, *const im = layout_.imaginary(
                                                                                spectrum_, ky) +
                                                                            kx;
            const float *const v_re = values.re.data() + done, *const v_im =
                                                                   values.im.data() + done;
            for (std::size_t i = 0; i < count; ++i) re[i] += f_re * v_re[i] - f_im * v_im[i];
            for (std::size_t i = 0; i < count; ++i) im[i] += f_re * v_im[i] + f_im * v_re[i];
            done += count;
        }
    }

    std::size_t row_of(std::ptrdiff_t row) const {
        return static_cast<std::size_t>((row % rows_ + rows_) % rows_);
    }
    std::size_t col_of(std::ptrdiff_t col) const {
        return static_cast<std::size_t>((col % cols_ + cols_) % cols_);
    }

    const SpectrumLayout& layout_;
    float* spectrum_;
    std::ptrdiff_t rows_, cols_;
};

// The transform and its slope at the frequencies around a peak.
struct Profile {
    Profile(const TaperTransform& transform, float away) {
        for (std::size_t i = 0; i < side; ++i) {
            const auto [v, s] =
                transform.at(static_cast<float>(static_cast<std::ptrdiff_t>(i) - seen) - away);
            value[i] = v;
            slope[i] = s;
            vv += v * v;
            vs += v * s;
            ss += s * s;
        }
    }

    float value[side], slope[side], vv = 0, vs = 0, ss = 0;
};

// The peak's surroundings, turned as the transforms are.
struct Surroundings {
    Surroundings(const Whole& whole, const TaperTransform& down, const TaperTransform& across,
                 const Wave& wave) {
        for (std::size_t y = 0; y < side; ++y) {
            const std::ptrdiff_t dy = static_cast<std::ptrdiff_t>(y) - seen;
            for (std::size_t x = 0; x < side; ++x) {
                const std::ptrdiff_t dx = static_cast<std::ptrdiff_t>(x) - seen;
                const Complex turn = Whole::times({down.turn_re(dy), down.turn_im(dy)},
                                                  {across.turn_re(dx), across.turn_im(dx)});
                value[y][x] = Whole::times(whole.at(wave.row + dy, wave.col + dx), std::conj(turn));
            }
        }
    }

    Complex value[side][side];
};

// The sums of the surroundings times the wave, and times its slopes along either axis.
struct Sums {
    Sums(const Surroundings& around, const Profile& y, const Profile& x) {
        for (std::size_t r = 0; r < side; ++r) {
            Complex value = 0, slope = 0;
            for (std::size_t c = 0; c < side; ++c) {
                value += around.value[r][c] * x.value[c];
                slope += around.value[r][c] * x.slope[c];
            }
            wave += value * y.value[r];
            down += value * y.slope[r];
            across += slope * y.value[r];
        }
    }

    Complex wave = 0, down = 0, across = 0;
};

// One Gauss-Newton step of least squares: the wave's height and, from its slopes', how far away it
// is. Symmetric, and solved by elimination.
void improve(Wave& wave, const Sums& sums, const Profile& y, const Profile& x) {
    const float g00 = y.vv * x.vv, g01 = y.vs * x.vv, g02 = y.vv * x.vs, g11 = y.ss * x.vv,
                g12 = y.vs * x.vs, g22 = y.vv * x.ss;
    const float h11 = g11 - g01 * g01 / g00, h12 = g12 - g01 * g02 / g00,
                h22 = g22 - g02 * g02 / g00, det = h11 * h22 - h12 * h12;
    const Complex height = sums.wave / g00;
    const Complex by = sums.down - g01 * height, bx = sums.across - g02 * height;
    const Complex sy = (by * h22 - bx * h12) / det, sx = (bx * h11 - by * h12) / det;
    const Complex all = height - (g01 * sy + g02 * sx) / g00;
    const float power = std::norm(all);
    if (!(power > 0) || !std::isfinite(power)) return;
    const auto step = [&](Complex slope) { return -Whole::times(slope, std::conj(all)).real(); };
    wave.down = std::clamp(wave.down + step(sy) / power, -most, most);
    wave.across = std::clamp(wave.across + step(sx) / power, -most, most);
}

void find(Wave& wave, const Whole& whole, const TaperTransform& down,
          const TaperTransform& across) {
    const Surroundings around(whole, down, across, wave);
    Wave tried = wave;
    tried.down = tried.across = 0;
    float explained = 0;
    for (int round = 0; round < rounds; ++round) {
        const Profile y(down, tried.down), x(across, tried.across);
        const Sums sums(around, y, x);
        const float power = std::norm(sums.wave) / (y.vv * x.vv);
        if (!(power > explained)) return;  // no wave is there, but something wider
        explained = power;
        tried.height = sums.wave / (y.vv * x.vv);
        wave = tried;
        improve(tried, sums, y, x);
    }
}

void add(const Wave& wave, float sign, Whole& whole, const TaperTransform& down,
         const TaperTransform& across, float least) {
    const float height = std::abs(wave.height);
    const float tallest = down.at(0).value, widest = across.at(0).value;
    const auto far_down = static_cast<std::ptrdiff_t>(down.reach(least / (height * widest)));
    const auto far_across = static_cast<std::ptrdiff_t>(across.reach(least / (height * tallest)));
    Line row;
    for (std::ptrdiff_t dx = -far_across; dx <= far_across; ++dx) {
        const float value = across.at(static_cast<float>(dx) - wave.across).value;
        row.re.push_back(across.turn_re(dx) * value);
        row.im.push_back(across.turn_im(dx) * value);
    }
    const Line mirrored = row.mirrored();
    for (std::ptrdiff_t dy = -far_down; dy <= far_down; ++dy) {
        const float value = sign * down.at(static_cast<float>(dy) - wave.down).value;
        const Complex turn{down.turn_re(dy) * value, down.turn_im(dy) * value};
        whole.add(wave.row + dy, wave.col - far_across, Whole::times(wave.height, turn), row,
                  mirrored);
    }
}

}  // namespace

TaperTransform::TaperTransform(const std::vector<float>& taper)
    : most_(std::min(farthest, (taper.size() - 1) / 2)) {
    const double n = static_cast<double>(taper.size()), middle = (n - 1) / 2;
    for (std::size_t i = 0; i <= fine * (farthest + 2); ++i) {
        const double turn = 2 * pi * static_cast<double>(i) / static_cast<double>(fine) / n;
        const std::complex<double> on = std::polar(1.0, turn);
        std::complex<double> phase = std::polar(1.0, -turn * middle);
        double value = 0, slope = 0;
        for (std::size_t p = 0; p < taper.size() / 2; ++p) {  // and as many beyond the middle
            const double at = static_cast<double>(p) - middle, weight = 2.0 * taper[p];
            value += weight * phase.real();
            slope -= weight * phase.imag() * 2 * pi * at / n;
            phase *= on;
        }
        if (taper.size() % 2) value += taper[taper.size() / 2];
        fine_.push_back({static_cast<float>(value), static_cast<float>(slope)});
    }
    for (std::ptrdiff_t away = -static_cast<std::ptrdiff_t>(farthest);
         away <= static_cast<std::ptrdiff_t>(farthest); ++away) {
        const double angle = -pi * static_cast<double>(away) * (n - 1) / n;
        turn_re_.push_back(static_cast<float>(std::cos(angle)));
        turn_im_.push_back(static_cast<float>(std::sin(angle)));
    }
    largest_beyond_.assign(farthest + 1, 0);
    float largest = 0;
    for (std::size_t i = fine_.size(); i-- > 0;) {
        largest = std::max(largest, std::abs(fine_[i].value));
        if (i % fine == 0 && i / fine <= farthest) largest_beyond_[i / fine] = largest;
    }
}

TaperTransform::Point TaperTransform::at(float away) const {
    // Even; between its points a cubic that has their values and slopes.
    const float place = std::min(std::abs(away) * static_cast<float>(fine),
                                 static_cast<float>(fine_.size()) - 1.001f);
    const auto i = static_cast<std::size_t>(place);
    const float t = place - static_cast<float>(i), width = 1.0f / static_cast<float>(fine);
    const Point a = fine_[i], b = fine_[i + 1];
    const float rise = b.value - a.value, from = a.slope * width, to = b.slope * width;
    const float square = 3 * rise - 2 * from - to, cube = from + to - 2 * rise;
    const float value = a.value + t * (from + t * (square + t * cube));
    const float slope = (from + t * (2 * square + 3 * t * cube)) * static_cast<float>(fine);
    return {value, away < 0 ? -slope : slope};
}

std::size_t TaperTransform::reach(float least) const {
    std::size_t away = static_cast<std::size_t>(seen);
    while (away < most_ && largest_beyond_[away] >= least) ++away;
    return away;
}

void subtract_waves(const SpectrumLayout& layout, const TaperTransform& down,
                    const TaperTransform& across, const std::vector<std::size_t>& peaks,
                    float least, float* spectrum) {
    Whole whole(layout, spectrum);
    std::vector<Wave> waves;
    for (const std::size_t peak : peaks) {
        waves.push_back({static_cast<std::ptrdiff_t>(peak / layout.image.cols),
                         static_cast<std::ptrdiff_t>(peak % layout.image.cols)});
    }
    for (int pass = 0; pass < passes; ++pass) {
        for (Wave& wave : waves) {
            if (pass > 0) add(wave, 1, whole, down, across, least);
            find(wave, whole, down, across);
            add(wave, -1, whole, down, across, least);
        }
    }
}

}  // namespace stemzoo::drift
