// The transforms of a chunk of frames on a GPU: along rows, whose padding rows are never
// transformed, then along columns; and back, of which only the lags asked for are computed along
// rows.
#pragma once

#include "cuda/fft.hpp"
#include "cuda/launch.hpp"
#include "ncc/plain_kernels.hpp"

namespace stemzoo::cuda {

// The sizes that transforms on a GPU are padded to.
inline Geometry padded_for_gpu(Geometry geometry) {
    geometry.fft_rows = fast_length(geometry.image.rows + geometry.max_dy);
    geometry.fft_cols = fast_length(geometry.image.cols + geometry.max_dx);
    return geometry;
}

template <typename T>
class DeviceTransform {
  public:
    DeviceTransform(const Queue& queue, const Geometry& geometry, std::size_t chunk)
        : geometry_(geometry),
          chunk_(chunk),
          half_cols_(geometry.fft_cols / 2 + 1),
          to_rows_(queue, rows_layout()),
          to_columns_(queue, columns_layout(FftKind::forward)),
          from_columns_(queue, columns_layout(FftKind::backward)),
          from_rows_(queue, lags_layout()),
          half_(queue, spectrum_size()),
          work_(queue, std::max({to_rows_.work_bytes(), to_columns_.work_bytes(),
                                 from_columns_.work_bytes(), from_rows_.work_bytes()})) {
        for (const Fft* fft : {&to_rows_, &to_columns_, &from_columns_, &from_rows_}) {
            fft->set_work(work_.data());
        }
        queue.clear(half_.data(), half_.bytes());  // for good: below the image it stays zero
    }

    std::size_t spectrum_size() const { return geometry_.fft_rows * chunk_ * half_cols_; }
    std::size_t bytes() const { return half_.bytes() + work_.bytes(); }

    // `scaled` and `spectrum` may be the same memory.
    void forward(const Queue& queue, const T* scaled, Complex<T>* spectrum) const {
        to_rows_.run(queue, scaled, half_.data());
        to_columns_.run(queue, half_.data(), spectrum);
    }

    // Multiplies the spectrum by the reference's. raw: [row of lags][f][x].
    void correlate(const Queue& queue, const Complex<T>* reference, Complex<T>* spectrum,
                   T* raw) const {
        launch(queue,
               {static_cast<unsigned>(half_cols_), static_cast<unsigned>(chunk_),
                static_cast<unsigned>(geometry_.fft_rows)},
               MultiplySpectra<T>{half_cols_, chunk_, reference, spectrum});
        from_columns_.run(queue, spectrum, spectrum);
        from_rows_.run(queue, spectrum, raw);
    }

  private:
    static constexpr bool in_double = sizeof(T) == sizeof(double);

    FftLayout rows_layout() const {
        return {FftKind::real_to_complex,
                in_double,
                geometry_.fft_cols,
                geometry_.image.rows * chunk_,
                1,
                geometry_.fft_cols,
                1,
                half_cols_};
    }
    FftLayout columns_layout(FftKind kind) const {
        const std::size_t columns = chunk_ * half_cols_;
        return {kind, in_double, geometry_.fft_rows, columns, columns, 1, columns, 1};
    }
    FftLayout lags_layout() const {
        return {FftKind::complex_to_real,
                in_double,
                geometry_.fft_cols,
                (2 * geometry_.max_dy + 1) * chunk_,
                1,
                half_cols_,
                1,
                geometry_.fft_cols};
    }

    Geometry geometry_;
    std::size_t chunk_, half_cols_;
    Fft to_rows_, to_columns_, from_columns_, from_rows_;
    Buffer<Complex<T>> half_;
    Buffer<unsigned char> work_;
};

}  // namespace stemzoo::cuda
