#include "spectrum/noise_colour.hpp"

#include <algorithm>
#include <cmath>

#include "core/fft2d.hpp"
#include "core/taper.hpp"

namespace stemzoo::spectrum {
namespace {

constexpr std::size_t cells = NoiseColour::cells;
constexpr double median_of_exponential = 0.6931471805599453;
constexpr double least = 1e-30;
constexpr double heard = 0.05;      // of the highest power: frequencies where noise is compared
constexpr std::size_t fewest = 16;  // frequencies of a cell whose powers are correlated
constexpr float outstanding = 3;    // log of power over its cell's: no higher counts, nor lower

double mean_square(const std::vector<float>& values) {
    double sum = 0;
    for (const float x : values) sum += static_cast<double>(x * x);
    return sum / static_cast<double>(values.size());
}

std::vector<std::size_t> cells_of(std::size_t side, std::size_t count) {
    std::vector<std::size_t> found(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double f = static_cast<double>(std::min(i, side - i)) / static_cast<double>(side);
        const auto above =
            std::upper_bound(NoiseColour::edges.begin() + 1, NoiseColour::edges.end() - 1, f);
        found[i] = static_cast<std::size_t>(above - NoiseColour::edges.begin()) - 1;
    }
    return found;
}

double middle(std::size_t cell) {
    return (NoiseColour::edges[cell] + NoiseColour::edges[cell + 1]) / 2;
}

// Between the middles of two cells.
struct Between {
    explicit Between(double f) {
        while (cell + 2 < cells && f >= middle(cell + 1)) ++cell;
        fraction = std::clamp((f - middle(cell)) / (middle(cell + 1) - middle(cell)), 0.0, 1.0);
    }

    std::size_t cell = 0;
    double fraction;
};

double median(std::vector<float>& values) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), at, values.end());
    return static_cast<double>(*at);
}

double correlation(const float* a, const float* b, std::size_t count, float level_a,
                   float level_b) {
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto x = static_cast<double>(std::clamp(a[i] - level_a, -outstanding, outstanding)),
                   y = static_cast<double>(std::clamp(b[i] - level_b, -outstanding, outstanding));
        sa += x;
        sb += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    const auto n = static_cast<double>(count);
    const double va = aa - sa * sa / n, vb = bb - sb * sb / n;
    return va > 0 && vb > 0 ? (ab - sa * sb / n) / std::sqrt(va * vb) : 0;
}

}  // namespace

NoiseColour::NoiseColour(const float* pixels, Shape shape, unsigned threads) : shape_(shape) {
    const Fft2d fft(shape);
    const SpectrumLayout& layout = fft.layout();
    const std::vector<float> down = taper(shape.rows), across = taper(shape.cols);
    const Fading fading{down.data(), across.data()};
    const Scratch<float> spectrum(layout.size);
    fft.forward(pixels, spectrum.data(), threads, &fading);
    contrast_ = spectrum::contrast(layout, spectrum.data());

    const std::vector<std::size_t> row_cells = cells_of(shape.rows, layout.rows),
                                   col_cells = cells_of(shape.cols, shape.cols);
    std::array<std::size_t, cells> in_rows{}, in_cols{};
    for (const std::size_t cell : row_cells) ++in_rows[cell];
    for (const std::size_t cell : col_cells) ++in_cols[cell];
    for (std::size_t i = 0; i < cells * cells; ++i) {
        begin_[i + 1] = begin_[i] + in_rows[i / cells] * in_cols[i % cells];
    }
    logs_ = Scratch<float>(layout.rows * shape.cols);
    std::array<std::size_t, cells * cells> next{};
    std::copy_n(begin_.begin(), next.size(), next.begin());
    const double unit =
        1 / (static_cast<double>(shape.size()) * mean_square(down) * mean_square(across));
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        const float *const re = layout.real(spectrum.data(), ky), *const im = layout.imaginary(
                                                                      spectrum.data(), ky);
        for (std::size_t kx = 0; kx < shape.cols; ++kx) {
            const auto power = static_cast<double>(re[kx] * re[kx] + im[kx] * im[kx]) * unit;
            logs_[next[row_cells[ky] * cells + col_cells[kx]]++] =
                std::log(static_cast<float>(std::max(power, least)));
        }
    }
    const double to_mean = std::log(median_of_exponential);
    std::vector<float> values;
    for (std::size_t i = 0; i < cells * cells; ++i) {
        if (begin_[i] == begin_[i + 1]) continue;
        values.assign(logs_.data() + begin_[i], logs_.data() + begin_[i + 1]);
        log_power_[i] = median(values) - to_mean;
    }
    extrapolate();
}

void NoiseColour::extrapolate() {
    const auto mean = [&](std::size_t y, std::size_t x, bool all_y, bool all_x) {
        double sum = 0, count = 0;
        for (std::size_t i = 0; i < cells; ++i) {
            for (std::size_t j = 0; j < cells; ++j) {
                const auto known = [](std::size_t cell) {
                    return middle(cell) > specimen_to && middle(cell) < known_to;
                };
                if (!(all_y ? known(i) : i == y) || !(all_x ? known(j) : j == x)) continue;
                sum += log_power_[i * cells + j];
                ++count;
            }
        }
        return sum / count;
    };
    const double level = mean(0, 0, true, true);
    std::array<double, cells> down, across;
    for (std::size_t i = 0; i < cells; ++i) {
        down[i] = mean(i, 0, false, true);
        across[i] = mean(0, i, true, false);
    }
    for (std::size_t y = 0; middle(y) < specimen_to; ++y) {
        for (std::size_t x = 0; middle(x) < specimen_to; ++x) {
            log_power_[y * cells + x] = down[y] + across[x] - level;
        }
    }
}

std::vector<float> NoiseColour::power(double fy, const std::vector<double>& fx) const {
    const Between y(fy);
    std::array<double, cells> row;
    for (std::size_t x = 0; x < cells; ++x) {
        const double* const here = log_power_.data() + y.cell * cells + x;
        row[x] = here[0] * (1 - y.fraction) + here[cells] * y.fraction;
    }
    std::vector<float> found(fx.size());
    std::transform(fx.begin(), fx.end(), found.begin(), [&](double f) {
        const Between x(f);
        return std::exp(
            static_cast<float>(row[x.cell] * (1 - x.fraction) + row[x.cell + 1] * x.fraction));
    });
    return found;
}

double NoiseColour::highest() const {
    return std::exp(*std::max_element(log_power_.begin(), log_power_.end()));
}

template <typename F>
double NoiseColour::median_over_cells(F of_cell) const {
    const double limit = std::log(heard * highest());
    std::vector<float> found;
    for (std::size_t i = 0; i < cells * cells; ++i) {
        const std::size_t count = begin_[i + 1] - begin_[i];
        const bool low = middle(i / cells) < specimen_to && middle(i % cells) < specimen_to;
        if (low || log_power_[i] < limit || count < fewest) continue;
        found.push_back(static_cast<float>(of_cell(i, count)));
    }
    return found.empty() ? 1 : median(found);
}

double NoiseColour::in_common(const NoiseColour& other) const {
    return median_over_cells([&](std::size_t i, std::size_t count) {
        return correlation(logs_.data() + begin_[i], other.logs_.data() + begin_[i], count,
                           static_cast<float>(log_power_[i]),
                           static_cast<float>(other.log_power_[i]));
    });
}

double NoiseColour::smoothness() const {
    return median_over_cells([&](std::size_t i, std::size_t count) {
        const float* const here = logs_.data() + begin_[i];
        const auto level = static_cast<float>(log_power_[i]);
        return correlation(here, here + 1, count - 1, level, level);
    });
}

}  // namespace stemzoo::spectrum
