// A live series, frame by frame: where its features are, how fast they move, where they will be.
//
// Every drift is the whole way since the first reference. When features have moved so far that
// little of the reference is left, the current frame takes its place; the error of its position is
// then part of every error after it.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "drift/comparison.hpp"
#include "drift/motion.hpp"

namespace stemzoo::drift {

// A time that does not follow the last one. `complaint` is the message without the time itself.
class BadTime : public std::invalid_argument {
  public:
    BadTime(double time, const std::string& complaint);
    const std::string& complaint() const { return complaint_; }

  private:
    std::string complaint_;
};

struct TrackedDrift {
    Drift drift;  // since the first reference
    // The frames alone left the answer open, and the prediction chose among the candidates.
    bool resolved = false;
};

// Moved by `shift` since the first reference.
struct Prediction {
    Vector shift, sigma;
};

class Tracker {
  public:
    // The reference is renewed where features have moved by more than the share `renew` of the
    // search range, which is `reach` but at most a third of the frame; without it, never.
    Tracker(std::shared_ptr<const Comparison> comparison, FramePointer reference, std::size_t reach,
            std::optional<double> renew);

    // Throws as Comparison::prepare does, and BadTime; the tracker is then as it was.
    TrackedDrift push(const AnyView& image, const MaskView* masked, std::optional<double> time);
    // By default of the next frame, which is as far away as the last was from the one before.
    Prediction predict(std::optional<double> time) const;
    // px per frame or per unit of the times given; nothing until two positions are known.
    std::optional<State> motion() const;

    // All but the frames themselves, to be saved and set up again.
    struct Numbers {
        double reach, leash;  // px; the leash is infinite where the reference is never renewed
        std::size_t pushed = 0;
        Vector position{0, 0}, position_sigma{0, 0};  // of the reference, since the first one
        std::optional<bool> timed;  // the first frame says whether frames have times
        double time = 0, step = 1;  // of the last frame, and since the one before
        std::optional<Motion::Numbers> motion;
    };
    Tracker(std::shared_ptr<const Comparison> comparison, FramePointer reference,
            const Numbers& numbers);
    Numbers numbers() const;
    const FramePointer& reference() const { return reference_; }

  private:
    State expected(double time) const;
    std::optional<Expectation> local_expectation() const;
    void require_time(std::optional<double> time) const;
    void tick(std::optional<double> time);
    TrackedDrift resolve(const PreparedFrame& frame, Drift local) const;
    Vector uncertainty(const Vector& sigma) const;
    double miss(const Vector& shift, const Vector& sigma) const;
    TrackedDrift since_first(const TrackedDrift& local) const;
    void follow(const Drift& local, const Drift& total);

    std::shared_ptr<const Comparison> comparison_;
    FramePointer reference_;
    Numbers numbers_;               // without the motion
    std::optional<Motion> motion_;  // once the time of one position is known
};

}  // namespace stemzoo::drift
