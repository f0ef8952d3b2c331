// A chunk of frames on a GPU, and what is known of each of them alone.
#pragma once

#include <vector>

#include "cuda/fft.hpp"
#include "cuda/module.hpp"
#include "drift/chance_kernels.hpp"
#include "drift/frame_kernels.hpp"

namespace stemzoo::cuda {

inline constexpr unsigned parts = 16;  // blocks that share the rows of a frame

// What the host computes of a shape once.
class DriftTables {
  public:
    DriftTables(const Queue& queue, const DriftSettings& settings);

    const float* down() const { return taper_down_.data(); }
    const float* across() const { return taper_across_.data(); }
    DeviceBand band() const;
    DeviceRings rings() const;
    const std::array<spectrum::Patch, 4>& patches() const { return patches_; }
    float standing_out() const { return standing_out_; }
    std::size_t bytes() const;

  private:
    Buffer<float> taper_down_, taper_across_, x2_, y2_, along_, band_down_;
    Buffer<std::uint32_t> places_;
    DeviceRings rings_{};  // but for the places
    float slow2_, loud_, shown2_;
    std::array<spectrum::Patch, 4> patches_;
    float standing_out_;
};

// Transforms of a chunk of real images, unscaled. The way back overwrites the spectra.
class ChunkFft {
  public:
    ChunkFft(const Queue& queue, const FrameGrid& grid);

    void forward(const Queue& queue, const float* images, Complex<float>* spectra) const;
    void backward(const Queue& queue, Complex<float>* spectra, float* images) const;
    std::size_t bytes() const { return work_.bytes(); }

  private:
    Fft to_rows_, to_columns_, from_columns_, from_rows_;
    Buffer<unsigned char> work_;
};

class DriftFrames {
  public:
    DriftFrames(const Queue& queue, const FrameGrid& grid);

    // `clean` are pixels in memory of the host, one frame after the other; pinned, they are copied
    // while the host goes on. `spare` is room for as many numbers as there are pixels.
    std::vector<DriftSummary> load(const Queue& queue, const DriftTables& tables,
                                   const ChunkFft& fft, const float* clean,
                                   const std::vector<ncc::Scaling>& scalings, float* spare);

    const FrameGrid& grid() const { return grid_; }
    const float* pixels() const { return pixels_.data(); }
    const Complex<float>* spectra() const { return spectra_.data(); }
    const Complex<float>* faded() const { return faded_.data(); }
    const float* excess() const { return excess_.data(); }
    const float* heights() const { return heights_.data(); }
    const RingPower* ring_powers() const { return ring_powers_.data(); }
    std::size_t bytes() const;

  private:
    void measure_power(const Queue& queue);
    void measure_band(const Queue& queue, const DriftTables& tables);
    void measure_rings(const Queue& queue, const DriftTables& tables);

    FrameGrid grid_;
    Buffer<float> clean_, pixels_;
    Buffer<ncc::Scaling> scalings_;
    Buffer<Complex<float>> spectra_, faded_;
    Buffer<float> lines_, excess_, heights_, scales_;
    Buffer<Total> corners_;
    Buffer<double> noise_, log_powers_;
    Buffer<BandSum> bands_;
    Buffer<RingPower> ring_powers_;
};

}  // namespace stemzoo::cuda
