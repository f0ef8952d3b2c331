// The drifts of many frames from one reference on a GPU: the twin of Estimator::compare_all.
//
// The host cleans the frames and decides, on all its threads; transforms, band-passes,
// correlations, refinements and the power that frames share by chance are the GPU's, for a chunk of
// frames at a time. Networks run where their session runs. Frames with missing pixels, and pairs
// whose noise has a colour, are left to the host.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/on_device.hpp"
#include "drift/estimator.hpp"

namespace stemzoo::cuda {

class DriftRun {
  public:
    // The reference is one of the estimator's frames. Both last as long as this.
    DriftRun(const OnDevice& on, const drift::Estimator& estimator,
             const drift::PreparedFrame& reference, std::size_t working_bytes);

    // Frames of the device, ready on `stream`, or of the host; errors call them `name` and their
    // number. Threads take turns.
    std::vector<drift::Drift> compare_all(const Frames& frames, bool on_host,
                                          const std::string& name, void* stream = nullptr);

    // Bytes of the device that it holds.
    std::size_t bytes() const { return pairs_ ? pairs_->bytes() : 0; }

  private:
    struct Pair;  // a frame and what is known of it beside the reference

    void make_room(std::size_t frames);
    std::vector<Pair> cleaned(const Frames& frames, const std::string& name, std::size_t first);
    void find_peaks(std::vector<Pair>& pairs);
    void choose(std::vector<Pair>& pairs);
    void refine(std::vector<Pair>& pairs);
    void conclude(std::vector<Pair>& pairs);
    void leave_coloured(std::vector<Pair>& pairs);
    void leave(Pair& pair) const;
    bool coloured(const DriftSummary& frame) const;
    std::size_t step(const DriftSummary& frame) const;
    template <typename F>
    void each(std::vector<Pair>& pairs, F f) const;

    std::mutex mutex_;
    OnDevice on_;
    unsigned threads_;
    drift::Estimator estimator_;  // of one thread, for each pair
    const drift::PreparedFrame& reference_;
    std::size_t working_bytes_;
    std::unique_ptr<DriftPairs> pairs_;  // null where the reference is left to the host
    bool full_ = false;                  // of as many frames as the memory is worth
    DriftSummary of_reference_;
};

}  // namespace stemzoo::cuda
