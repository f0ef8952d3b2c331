// The definition of the correlation, as plainly as it can be written, and images to try it on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "ncc/ncc.hpp"
#if defined(STEMZOO_TEST_CUDA)
#include "cuda_backend.hpp"
#endif

namespace reference {

using stemzoo::AnyView;
using stemzoo::Shape;
using stemzoo::View;

template <typename T>
struct Image {
    Shape shape;
    std::vector<T> pixels;

    explicit Image(Shape s) : shape(s), pixels(s.size()) {}
    T& at(std::size_t r, std::size_t c) { return pixels[r * shape.cols + c]; }
    T at(std::size_t r, std::size_t c) const { return pixels[r * shape.cols + c]; }
    View<const T> view() const { return stemzoo::contiguous(pixels.data(), shape); }
};

using Mask = Image<std::uint8_t>;

template <typename T>
Image<T> noise(Shape shape, unsigned seed, double offset = 0, double contrast = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(offset, contrast);
    Image<T> image(shape);
    for (T& pixel : image.pixels) pixel = static_cast<T>(normal(random));
    return image;
}

// A square lattice on a gentle background: what correlation meets in practice.
template <typename T>
Image<T> lattice(Shape shape, double dy, double dx, double offset = 0, double contrast = 1) {
    Image<T> image(shape);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double y = static_cast<double>(r) - dy, x = static_cast<double>(c) - dx;
            const double value = std::cos(y * 0.61) + std::cos(x * 0.59) + std::sin(0.01 * x * y);
            image.at(r, c) = static_cast<T>(offset + contrast * value);
        }
    }
    return image;
}

// `moving(r) = reference(r - d)`, the rest filled with noise.
template <typename T>
Image<T> shifted(const Image<T>& image, std::ptrdiff_t dy, std::ptrdiff_t dx, unsigned seed) {
    Image<T> out = noise<T>(image.shape, seed, static_cast<double>(image.at(0, 0)));
    const auto rows = static_cast<std::ptrdiff_t>(image.shape.rows);
    const auto cols = static_cast<std::ptrdiff_t>(image.shape.cols);
    for (std::ptrdiff_t r = 0; r < rows; ++r) {
        for (std::ptrdiff_t c = 0; c < cols; ++c) {
            const std::ptrdiff_t y = r - dy, x = c - dx;
            if (y < 0 || x < 0 || y >= rows || x >= cols) continue;
            out.at(static_cast<std::size_t>(r), static_cast<std::size_t>(c)) =
                image.at(static_cast<std::size_t>(y), static_cast<std::size_t>(x));
        }
    }
    return out;
}

struct Masks {
    const Mask* a = nullptr;
    const Mask* b = nullptr;
};

template <typename A, typename B>
double direct_lag(const Image<A>& a, const Image<B>& b, std::ptrdiff_t dy, std::ptrdiff_t dx,
                  double min_pixels, Masks masks) {
    // By pointers, as sanitizers watch every call of a vector.
    std::vector<double> overlap(2 * a.pixels.size());
    double* const x = overlap.data();
    double* const y = x + a.pixels.size();
    std::size_t count = 0;
    const auto rows = static_cast<std::ptrdiff_t>(a.shape.rows);
    const auto cols = static_cast<std::ptrdiff_t>(a.shape.cols);
    const std::ptrdiff_t bottom = std::min(rows, rows - dy), right = std::min(cols, cols - dx);
    for (std::ptrdiff_t r = std::max<std::ptrdiff_t>(0, -dy); r < bottom; ++r) {
        const A* const row = a.pixels.data() + r * cols;
        const B* const other = b.pixels.data() + (r + dy) * cols + dx;
        for (std::ptrdiff_t c = std::max<std::ptrdiff_t>(0, -dx); c < right; ++c) {
            if (masks.a != nullptr && masks.a->pixels.data()[r * cols + c] == 0) continue;
            if (masks.b != nullptr && masks.b->pixels.data()[(r + dy) * cols + c + dx] == 0)
                continue;
            x[count] = static_cast<double>(row[c]);
            y[count++] = static_cast<double>(other[c]);
        }
    }
    const auto n = static_cast<double>(count);
    if (count < 2 || n < min_pixels) return 0;
    // Means about the first pixel, so that a large offset costs no digits.
    double mean_x = 0, mean_y = 0;
    for (std::size_t i = 0; i < count; ++i) {
        mean_x += (x[i] - x[0]) / n;
        mean_y += (y[i] - y[0]) / n;
    }
    double xx = 0, yy = 0, xy = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double u = x[i] - x[0] - mean_x, v = y[i] - y[0] - mean_y;
        xx += u * u;
        yy += v * v;
        xy += u * v;
    }
    return xx > 0 && yy > 0 ? xy / (std::sqrt(xx) * std::sqrt(yy)) : 0;
}

// A surface computed by the library.
struct Surface {
    Shape shape;
    std::vector<float> values;
};

template <typename A, typename B>
Surface correlate(const Image<A>& a, const Image<B>& b, const stemzoo::ncc::Settings& settings,
                  Masks masks = {}, unsigned threads = 1) {
    stemzoo::ncc::Mask ma, mb;
    if (masks.a != nullptr) ma = masks.a->view();
    if (masks.b != nullptr) mb = masks.b->view();
    const stemzoo::ncc::Reference reference(AnyView(a.view()), settings,
                                            masks.a != nullptr ? &ma : nullptr, threads);
    Surface out{reference.surface_shape(), {}};
    out.values.resize(out.shape.size());
    reference.correlate(AnyView(b.view()), masks.b != nullptr ? &mb : nullptr, out.values.data(),
                        threads);
    return out;
}

// The same of the backend under test; what it does not do is left to the CPU.
template <typename A, typename B>
Surface correlate_on_backend(const Image<A>& a, const Image<B>& b,
                             const stemzoo::ncc::Settings& settings, Masks masks) {
#if defined(STEMZOO_TEST_CUDA)
    Surface out{{2 * settings.max_dy + 1, 2 * settings.max_dx + 1}, {}};
    out.values.resize(out.shape.size());
    if (masks.a == nullptr && masks.b == nullptr) {
        cuda_backend::correlate(a.view(), b.view(), settings, out.values.data());
        return out;
    }
    stemzoo::ncc::Mask ma, mb;
    if (masks.a != nullptr) ma = masks.a->view();
    if (masks.b != nullptr) mb = masks.b->view();
    cuda_backend::correlate_masked(a.view(), masks.a != nullptr ? &ma : nullptr, b.view(),
                                   masks.b != nullptr ? &mb : nullptr, settings, out.values.data());
    return out;
#else
    return correlate(a, b, settings, masks);
#endif
}

// The largest difference from the definition over every `step`-th lag; infinite for a value outside
// [-1, 1].
template <typename A, typename B>
double worst_error(const Image<A>& a, const Image<B>& b, const stemzoo::ncc::Settings& settings,
                   Masks masks = {}, std::size_t step = 1) {
    const Surface surface = correlate_on_backend(a, b, settings, masks);
    const double min_pixels = settings.min_overlap * static_cast<double>(a.shape.size()) * 0.999999;
    double worst = 0;
    for (const float value : surface.values) {
        if (!(std::abs(value) <= 1.0f)) return INFINITY;
    }
    for (std::size_t i = 0; i < surface.values.size(); i += step) {
        const auto dy = static_cast<std::ptrdiff_t>(i / surface.shape.cols) -
                        static_cast<std::ptrdiff_t>(settings.max_dy);
        const auto dx = static_cast<std::ptrdiff_t>(i % surface.shape.cols) -
                        static_cast<std::ptrdiff_t>(settings.max_dx);
        const double expected = direct_lag(a, b, dy, dx, min_pixels, masks);
        worst = std::max(worst, std::abs(static_cast<double>(surface.values[i]) - expected));
    }
    return worst;
}

}  // namespace reference
