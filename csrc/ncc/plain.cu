#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include "cuda/pack.hpp"
#include "cuda/staging.hpp"
#include "ncc/device_correlator.hpp"
#include "ncc/device_load.hpp"
#include "ncc/device_transform.hpp"
#include "ncc/direct_kernel.hpp"

namespace stemzoo::cuda {
namespace {

// More than a GPU can hold at the same time; each takes the next lag from the list.
constexpr unsigned direct_blocks = 2048;

std::size_t spectrum_numbers(const Geometry& g) { return g.fft_rows * (g.fft_cols / 2 + 1); }

// Of a chunk's buffer for scaled frames, which are spectra later.
std::size_t frame_numbers(const Geometry& g) {
    return std::max(spectrum_numbers(g), (g.image.rows * g.fft_cols + 1) / 2);
}

// About what a frame of a chunk needs beside the sums, and its share of cuFFT's own memory.
std::size_t frame_bytes(const Geometry& g) {
    return (frame_numbers(g) + 2 * spectrum_numbers(g)) * sizeof(Complex<float>);
}

std::invalid_argument not_finite(const std::string& what) {
    return std::invalid_argument(what +
                                 " has pixels that are NaN, infinite or beyond 1e150; replace them "
                                 "or mark them invalid with a mask");
}

// What is kept of the reference.
struct PreparedReference {
    Buffer<char> pixels;
    Frames frame;
    FrameSums sums;
    Buffer<Complex<float>> spectrum;

    PreparedReference(const Queue& queue, const Frames& given, bool on_host, const Geometry& g)
        : pixels(queue, given.shape.size() * given.pixel_bytes()),
          frame(given.packed(pixels.data())),
          sums(queue, g, 1),
          spectrum(queue, frame_numbers(g)) {
        if (on_host) {
            Staging staging(queue, pixels.bytes(), false);
            const Frames staged = staging.staged(queue, given);
            queue.copy(pixels.data(), staged.data, pixels.bytes());
            queue.wait();
        } else {
            pack(queue, given, pixels.data());
        }
        Buffer<unsigned> bad(queue, 1);
        unsigned lowest = all_finite;
        queue.copy(bad.data(), &lowest, sizeof lowest);
        auto* const scaled = reinterpret_cast<float*>(spectrum.data());
        sums.measure(queue, frame, 0, bad.data());
        sums.scale(queue, frame, scaled);
        sums.sum_overlaps(queue, scaled);
        queue.copy(&lowest, bad.data(), sizeof lowest);
        queue.wait();
        if (lowest != all_finite) throw not_finite("reference");
        const DeviceTransform<float> transform(queue, g, 1);
        transform.forward(queue, scaled, spectrum.data());
        launch(queue,
               {static_cast<unsigned>(g.fft_cols / 2 + 1), static_cast<unsigned>(g.fft_rows), 1},
               TurnReference<float>{g, spectrum.data()});
        queue.wait();
    }

    std::size_t bytes() const { return pixels.bytes() + sums.bytes() + spectrum.bytes(); }
};

// Everything that `frames` at a time need; what is done to more is done again and again.
class Chunk {
  public:
    Chunk(const Queue& queue, const Geometry& geometry, std::size_t frames)
        : geometry_(geometry),
          frames_(frames),
          sums_(queue, geometry, frames),
          transform_(queue, geometry, frames),
          spectra_(queue, frames * frame_numbers(geometry)),
          raw_(queue, frames * (2 * geometry.max_dy + 1) * geometry.fft_cols),
          unresolved_(queue, 1),
          places_(queue, frames * lags()) {}

    std::size_t frames() const { return frames_; }
    std::size_t bytes() const {
        return sums_.bytes() + transform_.bytes() + spectra_.bytes() + raw_.bytes() +
               unresolved_.bytes() + places_.bytes();
    }

    // Up to so many frames, the first of which has the number `first`.
    void run(const Queue& queue, const PreparedReference& reference, const Frames& frames,
             std::size_t first, double min_pixels, unsigned* not_finite, float* surfaces) {
        auto* const scaled = reinterpret_cast<float*>(spectra_.data());
        sums_.measure(queue, frames, first, not_finite);
        sums_.scale(queue, frames, scaled);
        sums_.sum_overlaps(queue, scaled);
        transform_.forward(queue, scaled, spectra_.data());
        transform_.correlate(queue, reference.spectrum.data(), spectra_.data(), raw_.data());
        queue.clear(unresolved_.data(), unresolved_.bytes());
        const Unresolved list{unresolved_.data(), places_.data()};
        const Shape surface = geometry_.surface();
        launch(queue,
               {static_cast<unsigned>(surface.cols), static_cast<unsigned>(surface.rows),
                static_cast<unsigned>(frames.count)},
               Normalise<float>{geometry_, raw_.data(), frames_, reference.sums.overlaps(),
                                reference.sums.energies(), sums_.overlaps(), sums_.energies(),
                                min_pixels, surfaces, list});
        const PlainLag lag{reference.frame, frames, reference.sums.scalings(), sums_.scalings()};
        launch_blocks(queue, {direct_blocks, 1, 1},
                      DirectLags<PlainLag>{geometry_, lag, list, surfaces});
    }

  private:
    std::size_t lags() const { return geometry_.surface().size(); }

    Geometry geometry_;
    std::size_t frames_;
    FrameSums sums_;
    DeviceTransform<float> transform_;
    Buffer<Complex<float>> spectra_;
    Buffer<float> raw_;
    Buffer<unsigned> unresolved_, places_;
};

class DeviceCorrelator final : public Correlator {
  public:
    DeviceCorrelator(const Queue& queue, const Frames& reference, bool on_host,
                     const CorrelatorSettings& settings)
        : device_(queue.device()),
          geometry_(padded_for_gpu(settings.geometry)),
          settings_(settings),
          reference_(queue, reference, on_host, geometry_),
          not_finite_(queue, 1) {
        queue.wait();
    }

    std::size_t bytes() const override {
        std::size_t total = reference_.bytes() + not_finite_.bytes() + surfaces_.bytes();
        if (single_) total += single_->bytes();
        if (several_) total += several_->bytes();
        if (staging_) total += staging_->bytes();
        return total;
    }

    void correlate(const Frames& frames, bool frames_on_host, float* surfaces,
                   bool surfaces_on_host, void* stream) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        const Queue queue(device_, stream);
        Chunk& chunk = chunk_for(queue, frames.count);
        const std::size_t at_once = chunk.frames(), lags = geometry_.surface().size();
        if (frames_on_host) make_staging(queue, frames, at_once);
        if (surfaces_on_host && surfaces_.size() < at_once * lags) {
            surfaces_ = Buffer<float>();
            surfaces_ = Buffer<float>(queue, at_once * lags);
        }
        unsigned lowest = all_finite;
        queue.copy(not_finite_.data(), &lowest, sizeof lowest);
        if (!frames_on_host && !surfaces_on_host) {
            correlate_there(queue, chunk, frames, surfaces);
        } else {
            correlate_staged(queue, chunk, frames, frames_on_host, surfaces, surfaces_on_host);
        }
        queue.copy(&lowest, not_finite_.data(), sizeof lowest);
        queue.wait();
        if (lowest != all_finite) throw not_finite("moving image " + std::to_string(lowest));
    }

  private:
    // The arguments of a call whose arrays all lie on the device.
    struct Call {
        Frames frames;
        float* surfaces = nullptr;

        bool operator==(const Call& o) const {
            return frames.data == o.frames.data && frames.type == o.frames.type &&
                   frames.count == o.frames.count && frames.frame_stride == o.frames.frame_stride &&
                   frames.row_stride == o.frames.row_stride &&
                   frames.col_stride == o.frames.col_stride && surfaces == o.surfaces;
        }
    };

    // The second call with the same buffers is recorded, and started as a whole from then on. Not
    // the first: libraries load what they need when they are first called.
    void correlate_there(const Queue& queue, Chunk& chunk, const Frames& frames, float* surfaces) {
        const Call call{frames, surfaces};
        const auto work = [this, &chunk, call](const Queue& on) {
            const std::size_t at_once = chunk.frames(), lags = geometry_.surface().size();
            for (std::size_t first = 0; first < call.frames.count; first += at_once) {
                const std::size_t count = std::min(at_once, call.frames.count - first);
                chunk.run(on, reference_, call.frames.part(first, count), first,
                          settings_.min_pixels, not_finite_.data(), call.surfaces + first * lags);
            }
        };
        if (!(call == last_call_)) {
            graph_.reset();
            last_call_ = call;
            return work(queue);
        }
        if (!graph_) graph_.emplace(queue, work);
        graph_->launch(queue);
    }

    // The next frames are on their way before the host waits for the surfaces of these.
    void correlate_staged(const Queue& queue, Chunk& chunk, const Frames& frames,
                          bool frames_on_host, float* surfaces, bool surfaces_on_host) {
        const std::size_t at_once = chunk.frames(), lags = geometry_.surface().size();
        const auto part = [&](std::size_t first) {
            const Frames some = frames.part(first, std::min(at_once, frames.count - first));
            return frames_on_host ? staging_->staged(queue, some) : some;
        };
        Frames next = part(0);
        for (std::size_t first = 0; first < frames.count; first += at_once) {
            const Frames here = next;
            float* const out = surfaces + first * lags;
            float* const result = surfaces_on_host ? surfaces_.data() : out;
            chunk.run(queue, reference_, here, first, settings_.min_pixels, not_finite_.data(),
                      result);
            if (frames_on_host) staging_->used(queue);
            if (first + at_once < frames.count) next = part(first + at_once);
            if (surfaces_on_host) queue.copy(out, result, here.count * lags * sizeof(float));
        }
    }

    // One for single frames, one for stacks: plans and memory are made once for each.
    Chunk& chunk_for(const Queue& queue, std::size_t frames) {
        const std::size_t fitting = settings_.working_bytes / frame_bytes(geometry_);
        const std::size_t wanted = std::clamp<std::size_t>(fitting, 1, frames);
        std::unique_ptr<Chunk>& chunk = wanted == 1 ? single_ : several_;
        if (!chunk || chunk->frames() < wanted) {
            graph_.reset();  // which may hold its addresses
            last_call_ = {};
            chunk.reset();
            chunk = std::make_unique<Chunk>(queue, geometry_, wanted);
        }
        return *chunk;
    }

    void make_staging(const Queue& queue, const Frames& frames, std::size_t at_once) {
        const std::size_t bytes = frames.shape.size() * frames.pixel_bytes() * at_once;
        const bool several = frames.count > at_once;
        if (staging_ && staged_bytes_ >= bytes && (staged_several_ || !several)) return;
        staging_.reset();
        staging_.emplace(queue, bytes, several);
        staged_bytes_ = bytes;
        staged_several_ = several;
    }

    int device_;
    Geometry geometry_;
    CorrelatorSettings settings_;
    PreparedReference reference_;
    Buffer<unsigned> not_finite_;  // the number of the first frame that is not
    std::unique_ptr<Chunk> single_, several_;
    Buffer<float> surfaces_;  // of a chunk, on their way to the host
    Call last_call_;
    std::optional<Graph> graph_;
    std::optional<Staging> staging_;
    std::size_t staged_bytes_ = 0;
    bool staged_several_ = false;
    std::mutex mutex_;
};

}  // namespace

std::unique_ptr<Correlator> make_correlator(int device, const Frames& reference,
                                            bool reference_on_host,
                                            const CorrelatorSettings& settings, void* stream) {
    const Queue queue(device, stream);
    return std::make_unique<DeviceCorrelator>(queue, reference, reference_on_host, settings);
}

}  // namespace stemzoo::cuda
