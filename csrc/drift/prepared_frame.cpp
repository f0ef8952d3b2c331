#include "drift/prepared_frame.hpp"

#include <algorithm>
#include <utility>

#include "spectrum/whiten.hpp"

namespace stemzoo::drift {
namespace {

// Correlation of the power of neighbouring frequencies: beyond, it is no noise.
constexpr double most_smooth = 0.3;

}  // namespace

PreparedFrame::PreparedFrame(CleanFrame clean, unsigned threads) : clean_(std::move(clean)) {
    if (shows_something(clean_)) counts_ = std::make_shared<const Frame>(clean_, threads);
}

std::shared_ptr<const spectrum::NoiseColour> PreparedFrame::noise_colour(unsigned threads) const {
    if (!counts_ || !counts_->coloured(threads)) return nullptr;
    colour_once_([&] {
        auto found =
            std::make_shared<spectrum::NoiseColour>(clean_.pixels.data(), shape(), threads);
        if (found->smoothness() < most_smooth) colour_ = std::move(found);
    });
    return colour_;
}

std::shared_ptr<const PreparedFrame> PreparedFrame::whitened(
    const std::shared_ptr<const spectrum::NoiseColour>& colour, unsigned threads) const {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (whitened_ && whitened_by_ == colour) return whitened_;
    }
    const auto own = noise_colour(threads);
    const double highest = (own ? own : colour)->highest();
    CleanFrame white{shape(),
                     spectrum::whitened(clean_.pixels.data(), *colour, highest, threads),
                     clean_.invalid,
                     clean_.missing,
                     {}};
    white.measure(Survey(white.view()));
    auto made = std::make_shared<const PreparedFrame>(std::move(white), threads);
    const std::lock_guard<std::mutex> lock(mutex_);
    whitened_by_ = colour;
    return whitened_ = std::move(made);
}

bool PreparedFrame::has_evidence(std::size_t stride) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return evidence_[stride == coarse_slot_stride ? 0 : 1] != nullptr;
}

}  // namespace stemzoo::drift
