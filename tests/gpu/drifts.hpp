// Drifts of a series from its first frame, on the GPU under test and on the CPU.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "cuda/run_drift.hpp"
#include "device.hpp"
#include "drift/estimator.hpp"
#include "drift_cases.hpp"

namespace gpu {

class Drifts {
  public:
    Drifts(Shape shape, std::vector<float> pixels, std::size_t bytes, unsigned threads = 0)
        : shape_(shape),
          pixels_(std::move(pixels)),
          estimator_(shape, drift::Estimator::usual_reach(shape), {}, threads),
          reference_(estimator_.prepare(view(0), nullptr, "reference")),
          run_(std::make_unique<cuda::DriftRun>(cuda::OnDevice{module(), device, nullptr},
                                                estimator_, *reference_, bytes)) {}

    const std::vector<float>& pixels() const { return pixels_; }

    std::vector<drift::Drift> on_gpu(const cuda::Frames& frames, bool on_host) const {
        return run_->compare_all(frames, on_host, "stack");
    }
    std::vector<drift::Drift> on_cpu(std::size_t count, unsigned threads) const {
        const drift::Estimator estimator(shape_, estimator_.reach(), {}, threads);
        std::vector<AnyView> views;
        for (std::size_t i = 0; i < count; ++i) views.push_back(view(i));
        return estimator.compare_all(*reference_, views, "stack");
    }

  private:
    AnyView view(std::size_t i) const {
        return AnyView(contiguous<const float>(pixels_.data() + i * shape_.size(), shape_));
    }

    Shape shape_;
    std::vector<float> pixels_;
    drift::Estimator estimator_;
    drift::FramePointer reference_;
    std::unique_ptr<cuda::DriftRun> run_;
};

}  // namespace gpu
