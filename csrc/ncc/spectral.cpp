// Compiled once for each instruction set; see core/fft.hpp.
#include "ncc/spectral.hpp"

#include <algorithm>

#include "core/fft.hpp"
#include "core/lanes.hpp"
#include "ncc/pixels.hpp"

namespace stemzoo::STEMZOO_ISA {
namespace {

std::size_t blocks_of(std::size_t count, std::size_t width) { return (count + width - 1) / width; }

// Buffers, with L lanes, ky the frequency along columns, x the image column:
//   half      [ky / L][x / L][ky % L][re, im][x % L]
//   spectrum  [ky / L][kx][re, im][ky % L]
//   band      [lag / L][half-complex ky][lag % L]   lag = dx + max_dx
template <typename T>
class SpectralImpl final : public ncc::Spectral<T> {
    static constexpr std::size_t L = lanes<T>;
    static constexpr std::size_t tile = 2 * L * L;

  public:
    explicit SpectralImpl(const ncc::Geometry& g)
        : g_(g), column_fft_(g.fft_rows), row_fft_(g.fft_cols) {
        frequencies_ = g.fft_rows / 2 + 1;
        this->column_blocks = blocks_of(g.image.cols, L);
        this->row_blocks = blocks_of(frequencies_, L);
        this->lag_blocks = blocks_of(2 * g.max_dx + 1, L);
        this->half_size = this->row_blocks * this->column_blocks * tile;
        this->spectrum_size = this->row_blocks * g.fft_cols * 2 * L;
        this->band_size = this->lag_blocks * g.fft_rows * L;
        // A row of whole tiles may be longer than the transform.
        row_size_ = std::max(g.fft_cols, this->column_blocks * L) * 2 * L;
        this->work_size =
            std::max(g.fft_rows * L + column_fft_.work_size(), row_size_ + row_fft_.work_size());
    }

    void columns(const AnyView& image, ncc::Scaling scaling, std::size_t block, T* half,
                 double* sums, double* square_sums, T* work) const override {
        std::visit(
            [&](const auto& view) {
                load_columns(view, scaling, block * L, work, sums, square_sums);
            },
            image);
        std::fill(work + g_.image.rows * L, work + g_.fft_rows * L, T(0));
        const T* result = column_fft_.forward(work, work + g_.fft_rows * L);
        for (std::size_t ky = 0; ky < this->row_blocks * L; ++ky) {
            T* to = half + (ky / L * this->column_blocks + block) * tile + ky % L * 2 * L;
            copy_or_clear(result, real_index(ky), to);
            copy_or_clear(result, imaginary_index(ky), to + L);
        }
    }

    void rows(const T* half, std::size_t block, T* spectrum, T* work) const override {
        const T* result = row_transform(half, block, work);
        T* to = spectrum + block * g_.fft_cols * 2 * L;
        const T scale = T(1) / (static_cast<T>(g_.fft_cols) * static_cast<T>(g_.fft_rows));
        for (std::size_t kx = 0; kx < g_.fft_cols; ++kx, result += 2 * L, to += 2 * L) {
            store(load<T, L>(result) * scale, to);
            store(load<T, L>(result + L) * -scale, to + L);
        }
    }

    void correlate(const T* half, const T* spectrum, std::size_t block, T* band,
                   T* work) const override {
        const T* a = spectrum + block * g_.fft_cols * 2 * L;
        const T* b = row_transform(half, block, work);
        for (std::size_t i = 0; i < g_.fft_cols * 2 * L; i += 2 * L) {
            const auto ar = load<T, L>(a + i), ai = load<T, L>(a + i + L);
            const auto br = load<T, L>(b + i), bi = load<T, L>(b + i + L);
            store(ar * br - ai * bi, work + i);
            store(ar * bi + ai * br, work + i + L);
        }
        const T* result = row_fft_.backward(work, work + row_size_);
        for (std::size_t j = 0; j < this->lag_blocks; ++j) store_lags(result, j, block, band);
    }

    void lags(T* band, std::size_t block, T* surface, T* work) const override {
        T* data = band + block * g_.fft_rows * L;
        const T* result = column_fft_.backward(data, work);
        const Shape shape = g_.surface();
        const std::size_t count = std::min(L, shape.cols - block * L);
        for (std::size_t row = 0; row < shape.rows; ++row) {
            const std::size_t y = wrapped(row, g_.max_dy, g_.fft_rows);
            std::copy_n(result + y * L, count, surface + row * shape.cols + block * L);
        }
    }

    ncc::Moments moments(const AnyView& image, std::size_t row0, std::size_t row1) const override {
        return std::visit([&](const auto& view) { return moments_of(view, row0, row1); }, image);
    }

  private:
    static constexpr std::size_t none = ~std::size_t(0);

    // Where a frequency's parts stand in half-complex order; those of the padding frequencies and
    // the imaginary parts that are zero by symmetry stand nowhere.
    std::size_t real_index(std::size_t ky) const {
        return ky == 0 ? 0 : ky < frequencies_ ? 2 * ky - 1 : none;
    }
    std::size_t imaginary_index(std::size_t ky) const {
        return ky == 0 || 2 * ky >= g_.fft_rows ? none : 2 * ky;
    }

    static void copy_or_clear(const T* result, std::size_t index, T* to) {
        store(index == none ? Vector<T, L>{} : load<T, L>(result + index * L), to);
    }

    // Index of the lag `i - centre` in a cyclic array of n.
    static std::size_t wrapped(std::size_t i, std::size_t centre, std::size_t n) {
        return i < centre ? n + i - centre : i - centre;
    }

    const T* row_transform(const T* half, std::size_t block, T* work) const {
        const T* from = half + block * this->column_blocks * tile;
        for (std::size_t x = 0; x < this->column_blocks; ++x, from += tile) {
            T* to = work + x * tile;
            transpose<T, L>([&](std::size_t i) { return from + i * 2 * L; },
                            [&](std::size_t i) { return to + i * 2 * L; });
            transpose<T, L>([&](std::size_t i) { return from + i * 2 * L + L; },
                            [&](std::size_t i) { return to + i * 2 * L + L; });
        }
        const std::size_t filled = this->column_blocks * tile;
        if (filled < g_.fft_cols * 2 * L) {
            std::fill(work + filled, work + g_.fft_cols * 2 * L, T(0));
        }
        return row_fft_.forward(work, work + row_size_);
    }

    void store_lags(const T* result, std::size_t lag_block, std::size_t block, T* band) const {
        T unused[L];
        T* to = band + lag_block * g_.fft_rows * L;
        // Lanes beyond the last lag repeat it; nobody reads them.
        const auto source = [&](std::size_t i) {
            const std::size_t lag = std::min(lag_block * L + i, 2 * g_.max_dx);
            return result + wrapped(lag, g_.max_dx, g_.fft_cols) * 2 * L;
        };
        const auto target = [&](std::size_t index) {
            return index == none ? unused : to + index * L;
        };
        transpose<T, L>([&](std::size_t i) { return source(i); },
                        [&](std::size_t i) { return target(real_index(block * L + i)); });
        transpose<T, L>([&](std::size_t i) { return source(i) + L; },
                        [&](std::size_t i) { return target(imaginary_index(block * L + i)); });
    }

    ncc::Geometry g_;
    RealFft<T> column_fft_;
    ComplexFft<T> row_fft_;
    std::size_t frequencies_ = 0, row_size_ = 0;
};

}  // namespace

std::shared_ptr<const ncc::Spectral<float>> make_spectral_float(const ncc::Geometry& geometry) {
    return std::make_shared<SpectralImpl<float>>(geometry);
}

std::shared_ptr<const ncc::Spectral<double>> make_spectral_double(const ncc::Geometry& geometry) {
    return std::make_shared<SpectralImpl<double>>(geometry);
}

}  // namespace stemzoo::STEMZOO_ISA
