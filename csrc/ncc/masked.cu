#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "ncc/device_correlator.hpp"
#include "ncc/device_transform.hpp"
#include "ncc/masked_kernels.hpp"

namespace stemzoo::cuda {
namespace {

constexpr MaskedPart all_parts[] = {MaskedPart::valid, MaskedPart::pixels, MaskedPart::squares};

// More than a GPU can hold at the same time; each takes the next lag from the list.
constexpr unsigned masked_blocks = 2048;

// Frames in float64, what is known of them, and the spectra of their parts.
class MaskedChunk {
  public:
    MaskedChunk(const Queue& queue, const Geometry& geometry, std::size_t chunk)
        : geometry_(geometry),
          chunk_(chunk),
          transform_(queue, geometry, chunk),
          pixels_(queue, chunk * geometry.image.size()),
          valid_(queue, chunk * geometry.image.size()),
          offsets_(queue, chunk),
          norms_(queue, chunk) {
        for (Buffer<Complex<double>>& spectrum : spectra_) {
            spectrum = Buffer<Complex<double>>(queue, transform_.spectrum_size());
        }
    }

    void load(const Queue& queue, const MaskedFrame* frames, std::size_t count) {
        const std::size_t size = geometry_.image.size();
        std::vector<double> offsets;
        std::vector<ncc::MaskedNorms> norms;
        for (std::size_t f = 0; f < count; ++f) {
            queue.copy(pixels_.data() + f * size, frames[f].pixels, size * sizeof(double));
            queue.copy(valid_.data() + f * size, frames[f].valid, size * sizeof(double));
            offsets.push_back(frames[f].offset);
            norms.push_back(frames[f].norms);
        }
        queue.copy(offsets_.data(), offsets.data(), count * sizeof offsets[0]);
        queue.copy(norms_.data(), norms.data(), count * sizeof norms[0]);
        for (const MaskedPart part : all_parts) {
            auto* const padded = reinterpret_cast<double*>(spectrum(part));
            launch(
                queue, {number(geometry_.fft_cols), number(chunk_), number(geometry_.image.rows)},
                PadMasked{geometry_, chunk_, count, part, pixels_.data(), valid_.data(), padded});
            transform_.forward(queue, padded, spectrum(part));
        }
        queue.wait();  // for what lies on the host
    }

    const DeviceTransform<double>& transform() const { return transform_; }
    Complex<double>* spectrum(MaskedPart part) const {
        return spectra_[static_cast<std::size_t>(part)].data();
    }
    const double* pixels() const { return pixels_.data(); }
    const double* valid() const { return valid_.data(); }
    const double* offsets() const { return offsets_.data(); }
    const ncc::MaskedNorms* norms() const { return norms_.data(); }
    std::size_t bytes() const {
        return transform_.bytes() + pixels_.bytes() + valid_.bytes() + 3 * spectra_[0].bytes() +
               offsets_.bytes() + norms_.bytes();
    }

  private:
    Geometry geometry_;
    std::size_t chunk_;
    DeviceTransform<double> transform_;
    Buffer<double> pixels_, valid_;
    Buffer<Complex<double>> spectra_[3];
    Buffer<double> offsets_;
    Buffer<ncc::MaskedNorms> norms_;
};

std::size_t frames_at_once(const Geometry& g, std::size_t working_bytes) {
    const std::size_t frame =
        5 * g.fft_rows * (g.fft_cols / 2 + 1) * sizeof(Complex<double>) +
        (2 * g.image.size() + 6 * (2 * g.max_dy + 1) * g.fft_cols) * sizeof(double);
    return std::max<std::size_t>(working_bytes / frame, 1);
}

// Memory for a chunk of frames.
struct MaskedWork {
    std::size_t chunk;
    MaskedChunk frames;
    Buffer<Complex<double>> product;
    Buffer<double> sums[6];
    Buffer<float> surfaces;
    Buffer<unsigned> places;

    MaskedWork(const Queue& queue, const Geometry& geometry, std::size_t count)
        : chunk(count),
          frames(queue, geometry, count),
          product(queue, frames.transform().spectrum_size()),
          surfaces(queue, count * geometry.surface().size()),
          places(queue, count * geometry.surface().size()) {
        for (Buffer<double>& sum : sums) {
            sum = Buffer<double>(queue, count * (2 * geometry.max_dy + 1) * geometry.fft_cols);
        }
    }

    std::size_t bytes() const {
        return frames.bytes() + product.bytes() + 6 * sums[0].bytes() + surfaces.bytes() +
               places.bytes();
    }
};

class DeviceMasked final : public MaskedCorrelator {
  public:
    DeviceMasked(const Queue& queue, const MaskedFrame& reference,
                 const CorrelatorSettings& settings)
        : device_(queue.device()),
          geometry_(padded_for_gpu(settings.geometry)),
          min_pixels_(settings.min_pixels),
          at_once_(frames_at_once(geometry_, settings.working_bytes)),
          reference_norms_(reference.norms),
          reference_offset_(reference.offset),
          reference_(queue, geometry_, 1),
          unresolved_(queue, 1) {
        reference_.load(queue, &reference, 1);
        for (const MaskedPart part : all_parts) {
            launch(queue, {number(geometry_.fft_cols / 2 + 1), number(geometry_.fft_rows), 1},
                   TurnReference<double>{geometry_, reference_.spectrum(part)});
        }
        queue.wait();
    }

    std::size_t at_once() const override { return at_once_; }
    std::size_t bytes() const override {
        return reference_.bytes() + unresolved_.bytes() + (work_ ? work_->bytes() : 0);
    }

    void correlate(const std::vector<MaskedFrame>& frames, float* surfaces, void* stream) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        const Queue queue(device_, stream);
        const std::size_t lags = geometry_.surface().size();
        const std::size_t chunk = std::min(at_once_, frames.size());
        if (!work_ || work_->chunk < chunk) {
            work_.reset();
            work_ = std::make_unique<MaskedWork>(queue, geometry_, chunk);
        }
        for (std::size_t first = 0; first < frames.size(); first += work_->chunk) {
            const std::size_t count = std::min(work_->chunk, frames.size() - first);
            work_->frames.load(queue, frames.data() + first, count);
            sum(queue);
            normalise(queue, count);
            queue.copy(surfaces + first * lags, work_->surfaces.data(),
                       count * lags * sizeof(float));
        }
        queue.wait();
    }

  private:
    // Of each part of the reference with one of the frames, in the order of MaskedSums.
    void sum(const Queue& queue) {
        using P = MaskedPart;
        constexpr std::pair<P, P> terms[] = {{P::valid, P::valid},   {P::pixels, P::valid},
                                             {P::valid, P::pixels},  {P::squares, P::valid},
                                             {P::valid, P::squares}, {P::pixels, P::pixels}};
        const MaskedWork& work = *work_;
        for (std::size_t i = 0; i < 6; ++i) {
            queue.copy(work.product.data(), work.frames.spectrum(terms[i].second),
                       work.product.bytes());
            work.frames.transform().correlate(queue, reference_.spectrum(terms[i].first),
                                              work.product.data(), work.sums[i].data());
        }
    }

    void normalise(const Queue& queue, std::size_t count) {
        const MaskedWork& work = *work_;
        queue.clear(unresolved_.data(), unresolved_.bytes());
        const Unresolved list{unresolved_.data(), work.places.data()};
        const Shape surface = geometry_.surface();
        const MaskedSums sums{work.sums[0].data(), work.sums[1].data(), work.sums[2].data(),
                              work.sums[3].data(), work.sums[4].data(), work.sums[5].data()};
        launch(queue, {number(surface.cols), number(surface.rows), number(count)},
               NormaliseMasked{geometry_, work.chunk, sums, reference_norms_, work.frames.norms(),
                               min_pixels_, work.surfaces.data(), list});
        const MaskedLag lag{geometry_.image,      reference_.pixels(), reference_.valid(),
                            work.frames.pixels(), work.frames.valid(), reference_offset_,
                            work.frames.offsets()};
        launch_blocks(queue, {masked_blocks, 1, 1},
                      DirectLags<MaskedLag>{geometry_, lag, list, work.surfaces.data()});
    }

    int device_;
    Geometry geometry_;
    double min_pixels_;
    std::size_t at_once_;
    ncc::MaskedNorms reference_norms_;
    double reference_offset_;
    MaskedChunk reference_;
    Buffer<unsigned> unresolved_;
    std::unique_ptr<MaskedWork> work_;
    std::mutex mutex_;
};

}  // namespace

std::unique_ptr<MaskedCorrelator> make_masked_correlator(int device, const MaskedFrame& reference,
                                                         const CorrelatorSettings& settings,
                                                         void* stream) {
    const Queue queue(device, stream);
    return std::make_unique<DeviceMasked>(queue, reference, settings);
}

}  // namespace stemzoo::cuda
