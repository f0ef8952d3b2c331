// All that is known of one frame before it is compared with another.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/once.hpp"
#include "drift/cleaning.hpp"
#include "drift/features.hpp"
#include "drift/frame.hpp"
#include "spectrum/noise_colour.hpp"

namespace stemzoo::drift {

// Evidence that tells candidate drifts apart, at one stride.
struct Evidence {
    std::optional<Features> rest;  // of the frame without its lattice
    std::optional<Features> maps;  // of a network, if there is one
    std::size_t needed = 0;        // the stride at which the lattice shows all its detail
};

// Made by Estimator::prepare. Immutable but for what is computed on first use; threads share it.
class PreparedFrame {
  public:
    PreparedFrame(CleanFrame clean, unsigned threads);
    // Without counts: for its evidence alone.
    explicit PreparedFrame(CleanFrame clean) : clean_(std::move(clean)) {}

    const CleanFrame& clean() const { return clean_; }
    Shape shape() const { return clean_.shape; }
    // Null where nothing can be said: the frame is blank, or too small.
    const Frame* counts() const { return counts_.get(); }
    std::shared_ptr<const Frame> shared_counts() const { return counts_; }

    // The colour of its noise; null where that is white, or the frame shows nothing.
    std::shared_ptr<const spectrum::NoiseColour> noise_colour(unsigned threads) const;
    // Through the filter that makes noise of that colour white. The last one made is kept.
    std::shared_ptr<const PreparedFrame> whitened(
        const std::shared_ptr<const spectrum::NoiseColour>& colour, unsigned threads) const;

    // Of a stride, made by `make(stride)` where it is not there yet. Two threads may both make it,
    // and make the same.
    template <typename Make>
    std::shared_ptr<const Evidence> evidence(std::size_t stride, Make make) const {
        const std::size_t slot = stride == coarse_slot_stride ? 0 : 1;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (evidence_[slot]) return evidence_[slot];
        }
        std::shared_ptr<const Evidence> made = make(stride);
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!evidence_[slot]) evidence_[slot] = std::move(made);
        return evidence_[slot];
    }
    bool has_evidence(std::size_t stride) const;

  private:
    static constexpr std::size_t coarse_slot_stride = 4;

    CleanFrame clean_;
    std::shared_ptr<const Frame> counts_;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const Evidence> evidence_[2];
    mutable Once colour_once_;
    mutable std::shared_ptr<const spectrum::NoiseColour> colour_, whitened_by_;
    mutable std::shared_ptr<const PreparedFrame> whitened_;
};

}  // namespace stemzoo::drift
