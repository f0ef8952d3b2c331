#include "cuda/run_drift.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "core/parallel.hpp"
#include "cuda/host_view.hpp"
#include "drift/bragg.hpp"
#include "drift/chance.hpp"
#include "drift/coarse_approach.hpp"
#include "drift/peaks.hpp"

namespace stemzoo::cuda {
namespace {

using drift::Estimator;
using drift::FramePointer;
using drift::Vector;

constexpr std::size_t least_coloured = 64;  // px: smaller frames show no colour

bool for_gpu(const drift::CleanFrame& frame) {
    return frame.invalid.empty() && drift::shows_something(frame);
}

// Frames of a GPU, on the host.
class HostCopy {
  public:
    HostCopy(const OnDevice& on, const Frames& frames)
        : memory_(frames.count * frames.shape.size() * frames.pixel_bytes()),
          frames_(frames.packed(memory_.data())) {
        const std::size_t bytes = frames.shape.size() * frames.pixel_bytes();
        const Frames packed = frames.packed(frames.data);
        const bool without_gaps = frames.col_stride == 1 &&
                                  frames.row_stride == packed.row_stride &&
                                  (frames.count == 1 || frames.frame_stride == packed.frame_stride);
        if (without_gaps) {
            on.module.copy(on.device, memory_.data(), frames.data, frames.count * bytes, on.stream);
            return;
        }
        const std::unique_ptr<void, std::function<void(void*)>> gapless(
            on.module.allocate(on.device, bytes),
            [&](void* held) { on.module.release(on.device, held); });
        for (std::size_t i = 0; i < frames.count; ++i) {
            on.module.pack(on.device, frames.part(i, 1), gapless.get(), on.stream);
            on.module.copy(on.device, memory_.data() + i * bytes, gapless.get(), bytes, on.stream);
        }
    }

    const Frames& frames() const { return frames_; }

  private:
    Scratch<char> memory_;
    Frames frames_;
};

}  // namespace

struct DriftRun::Pair {
    FramePointer frame;
    bool on_gpu = true;
    ncc::Scaling scaling;
    DriftSummary summary;
    std::vector<drift::Peak> peaks;
    double highest = 0;  // the correlation at the highest peak, where there is no network
    std::optional<drift::PairEvidence> evidence;
    std::optional<Estimator::Choice> choice;
    Estimator::Measured measured{};
    drift::Drift answer;

    bool chosen() const { return on_gpu && choice.has_value(); }
};

DriftRun::DriftRun(const OnDevice& on, const Estimator& estimator,
                   const drift::PreparedFrame& reference, std::size_t working_bytes)
    : on_(on),
      threads_(estimator.threads()),
      estimator_(estimator.on_one_thread()),
      reference_(reference),
      working_bytes_(working_bytes) {}

// Memory of the device for this many frames at a time, or for as many as fit.
void DriftRun::make_room(std::size_t frames) {
    const drift::CleanFrame& clean = reference_.clean();
    if (!for_gpu(clean) || (pairs_ && (full_ || pairs_->at_once() >= frames))) return;
    pairs_.reset();
    const Shape shape = estimator_.shape();
    const bool tells = std::min(shape.rows, shape.cols) >= least_coloured;
    const drift::Rings rings{SpectrumLayout(shape)};
    pairs_ = on_.module.drift_pairs(
        on_.device, {shape, rings, drift::BandTables(shape),
                     tells ? spectrum::contrast_patches(shape) : std::array<spectrum::Patch, 4>{},
                     drift::standing_out, frames, working_bytes_});
    full_ = pairs_->at_once() < frames;
    std::copy_n(clean.pixels.data(), shape.size(), pairs_->pixels());
    of_reference_ = pairs_->load_reference(drift::frame_scaling(clean), on_.stream);
}

std::vector<drift::Drift> DriftRun::compare_all(const Frames& frames, bool on_host,
                                                const std::string& name, void* stream) {
    const std::lock_guard<std::mutex> lock(mutex_);
    on_.stream = stream;
    std::vector<drift::Drift> answers;
    make_room(frames.count);
    const std::size_t at_once = pairs_ ? pairs_->at_once() : frames.count;
    for (std::size_t first = 0; first < frames.count; first += at_once) {
        const Frames part = frames.part(first, std::min(at_once, frames.count - first));
        std::optional<HostCopy> copy;
        if (!on_host) copy.emplace(on_, part);
        std::vector<Pair> pairs = cleaned(copy ? copy->frames() : part, name, first);
        if (pairs_) {
            find_peaks(pairs);
            choose(pairs);
            refine(pairs);
            conclude(pairs);
        }
        for (Pair& pair : pairs) answers.push_back(std::move(pair.answer));
    }
    return answers;
}

template <typename F>
void DriftRun::each(std::vector<Pair>& pairs, F f) const {
    parallel_for(pairs.size(), threads_, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) f(pairs[i], i);
    });
}

// Compares a pair on the host altogether.
void DriftRun::leave(Pair& pair) const {
    pair.on_gpu = false;
    const FramePointer whole = estimator_.prepare(pair.frame->clean().copy());
    pair.answer = estimator_.compare(reference_, *whole, nullptr);
}

std::vector<DriftRun::Pair> DriftRun::cleaned(const Frames& frames, const std::string& name,
                                              std::size_t first) {
    std::vector<Pair> pairs(frames.count);
    const std::size_t size = frames.shape.size();
    each(pairs, [&](Pair& pair, std::size_t i) {
        drift::CleanFrame clean = drift::clean(host_view(frames, i), nullptr,
                                               name + "[" + std::to_string(first + i) + "]");
        const bool fits = pairs_ && for_gpu(clean);
        if (fits) pair.scaling = drift::frame_scaling(clean);
        if (fits) std::copy_n(clean.pixels.data(), size, pairs_->pixels() + i * size);
        if (pairs_ && !fits) std::fill_n(pairs_->pixels() + i * size, size, 0.0f);
        pair.frame = std::make_shared<const drift::PreparedFrame>(std::move(clean));
        if (!fits) leave(pair);
    });
    return pairs;
}

bool DriftRun::coloured(const DriftSummary& frame) const {
    return spectrum::contrast(estimator_.shape(), frame.log_powers).coloured();
}

// The host makes the noise of such pairs white first, where it is their noise that has the colour.
void DriftRun::leave_coloured(std::vector<Pair>& pairs) {
    if (!coloured(of_reference_)) return;
    each(pairs, [&](Pair& pair, std::size_t) {
        if (pair.on_gpu && coloured(pair.summary)) leave(pair);
    });
}

std::size_t DriftRun::step(const DriftSummary& frame) const {
    const auto halves = [&](const DriftSummary& each) {
        return drift::may_halve(estimator_.shape(), each.band);
    };
    return halves(of_reference_) && halves(frame) ? 2 : 1;
}

void DriftRun::find_peaks(std::vector<Pair>& pairs) {
    std::vector<ncc::Scaling> scalings;
    for (const Pair& pair : pairs) scalings.push_back(pair.scaling);
    const std::vector<DriftSummary> found = pairs_->load(scalings, on_.stream);
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].summary = found[i];
    leave_coloured(pairs);
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}}) {
        const auto has = [&](const Pair& pair) {
            return pair.on_gpu && step(pair.summary) == size;
        };
        if (std::none_of(pairs.begin(), pairs.end(), has)) continue;
        const drift::PeakGrid grid(estimator_.shape(), estimator_.reach(), size);
        const std::size_t surface = grid.surface().size();
        const Scratch<float> surfaces(pairs.size() * surface);
        pairs_->correlate(size, grid.cut, surfaces.data(), on_.stream);
        each(pairs, [&](Pair& pair, std::size_t i) {
            if (!has(pair)) return;
            pair.peaks =
                drift::peaks_of(surfaces.data() + i * surface, grid, Estimator::most_peaks);
        });
    }
}

void DriftRun::choose(std::vector<Pair>& pairs) {
    if (!estimator_.has_network()) {
        DriftPairs::Starts highest(pairs.size());
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            const auto& peaks = pairs[i].peaks;
            if (!peaks.empty()) highest[i] = Vector{peaks[0].dy, peaks[0].dx};
        }
        const std::vector<DriftOverlap> found = pairs_->overlaps(highest, on_.stream);
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            pairs[i].highest = drift::correlation_of(found[i].sums, found[i].pixels);
        }
    }
    each(pairs, [&](Pair& pair, std::size_t) {
        if (!pair.on_gpu) return;
        pair.evidence.emplace(estimator_.evidence(reference_, *pair.frame));
        pair.choice = estimator_.choose(pair.peaks, *pair.evidence, nullptr,
                                        [&](const Vector&) { return pair.highest; });
    });
}

// As Estimator::compare does it.
void DriftRun::refine(std::vector<Pair>& pairs) {
    DriftPairs::Starts starts(pairs.size()), nearer(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (pairs[i].chosen()) starts[i] = pairs[i].choice->peak;
    }
    auto found = pairs_->refine(starts, on_.stream);
    each(pairs, [&](Pair& pair, std::size_t i) {
        if (!pair.chosen() || !drift::far_from(found[i], pair.choice->peak)) return;
        found[i].reset();
        if (pair.choice->sharp) return;
        nearer[i] =
            drift::coarse_approach(reference_.clean(), pair.frame->clean(), pair.choice->peak, 1);
    });
    if (std::any_of(nearer.begin(), nearer.end(), [](const auto& each) { return !!each; })) {
        const auto again = pairs_->refine(nearer, on_.stream);
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            if (nearer[i]) found[i] = again[i];
        }
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].measured.exact = found[i];
}

void DriftRun::conclude(std::vector<Pair>& pairs) {
    DriftPairs::Starts places(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (!pairs[i].chosen()) continue;
        places[i] = Estimator::place(*pairs[i].choice, pairs[i].measured.exact);
    }
    const std::vector<DriftOverlap> overlaps = pairs_->overlaps(places, on_.stream);
    const std::vector<double> common = pairs_->common_powers(on_.stream);
    each(pairs, [&](Pair& pair, std::size_t i) {
        if (!pair.chosen()) return;
        const auto [dy, dx] = *places[i];
        pair.measured.score = drift::correlation_of(overlaps[i].sums, overlaps[i].pixels);
        pair.measured.by_chance = drift::chance_of(
            common[i], of_reference_.power * pair.summary.power, estimator_.shape(), dy, dx);
        pair.answer = estimator_.conclude(*pair.choice, pair.measured, *pair.evidence);
    });
}

}  // namespace stemzoo::cuda
