// The drift between two frames: peaks of their correlation are the candidates; features of each
// frame, of a network and without one, tell which is true; the most probable is refined on the
// counts; and the answer says whether it is to be trusted.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "drift/comparison.hpp"
#include "drift/evidence.hpp"
#include "drift/network.hpp"
#include "drift/refine.hpp"

namespace stemzoo::drift {

// For frames of one shape. Threads may share it.
class Estimator final : public Comparison {
  public:
    // Shifts are searched up to `reach` px along either axis. Without a network it works the
    // classical way. threads = 0 means all cores.
    Estimator(Shape shape, Shape reach, Network network = {}, unsigned threads = 0);

    // By default, a third of the frame.
    static Shape usual_reach(Shape frame);

    Shape shape() const { return shape_; }
    unsigned threads() const { return threads_; }
    bool has_network() const { return static_cast<bool>(network_); }
    Estimator on_one_thread() const { return Estimator(shape_, reach_, network_, 1); }
    Shape reach() const { return reach_; }

    // Throws std::invalid_argument for images of another shape, and as clean() does.
    FramePointer prepare(const AnyView& image, const MaskView* masked,
                         const std::string& name) const override;
    // A frame that was cleaned before.
    FramePointer prepare(CleanFrame clean) const;

    Drift compare(const PreparedFrame& reference, const PreparedFrame& moving,
                  const Expectation* expected = nullptr) const override;
    // Good to a tenth of a pixel or two, with few candidates, in a quarter of the time.
    Drift compare_coarsely(const PreparedFrame& reference, const PreparedFrame& moving) const;
    // The drift at the one peak where it is expected, as good as a coarse one; nothing if there is
    // not one. Other peaks are not considered.
    std::optional<Drift> confirm(const PreparedFrame& reference, const PreparedFrame& moving,
                                 const Expectation& expected) const;

    double correlation(const PreparedFrame& reference, const PreparedFrame& moving,
                       const Vector& shift) const override;
    bool beyond_chance(const PreparedFrame& reference, const PreparedFrame& moving,
                       const Vector& shift, std::size_t places) const override;

    // The drift of each frame from one reference; threads take whole frames.
    std::vector<Drift> compare_all(const PreparedFrame& reference,
                                   const std::vector<AnyView>& moving,
                                   const std::string& name) const;

    // The two decisions of which a comparison of frames with white noise is made, for whoever
    // measures frames in another way.
    struct Choice {
        Posterior found;
        Vector peak;
        bool sharp;         // tells the drift to a tenth of a pixel
        std::size_t peaks;  // of how many
    };
    // Chooses one of the peaks; nothing without a candidate. `correlation` gives that of the
    // overlap at a shift, and is called only where it matters.
    using Correlation = std::function<double(const Vector& shift)>;
    std::optional<Choice> choose(const std::vector<Peak>& peaks, PairEvidence& evidence,
                                 const Expectation* expected, const Correlation& correlation) const;
    // Measured at the chosen drift.
    struct Measured {
        std::optional<Refined> exact;
        double score, by_chance;  // its correlation, and the standard deviation of unrelated ones
    };
    static Vector place(const Choice& choice, const std::optional<Refined>& exact);
    Drift conclude(const Choice& choice, const Measured& measured, PairEvidence& evidence,
                   bool refined = true) const;

    PairEvidence evidence(const PreparedFrame& reference, const PreparedFrame& moving) const;
    static constexpr std::size_t most_peaks = 1024;

  private:
    // Of noise of any colour, and of white noise.
    Drift decide(const PreparedFrame& reference, const PreparedFrame& moving,
                 const Expectation* expected, bool refined) const;
    Drift decide_white(const PreparedFrame& reference, const PreparedFrame& moving,
                       const Expectation* expected, bool refined) const;
    std::optional<Drift> confirm_white(const PreparedFrame& reference, const PreparedFrame& moving,
                                       const Expectation& expected) const;
    bool white_beyond_chance(const PreparedFrame& reference, const PreparedFrame& moving,
                             const Vector& shift, std::size_t places) const;

    Shape shape_, reach_;
    Shape far_;  // how far the evidence of chance is gathered, whatever the reach
    Network network_;
    unsigned threads_;
};

// Whether a refinement leads away from the peak it began at. At a sharp peak there is then nothing;
// a broad one is approached anew (drift/coarse_approach.hpp).
bool far_from(const std::optional<Refined>& found, const Vector& peak);

}  // namespace stemzoo::drift
