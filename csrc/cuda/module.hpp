// What the module stemzoo_cuda does: the core on a GPU. The core opens it at run time
// (open_module.hpp), so this file is all that both know of each other.
//
// Pointers are to memory of the device, or of the host where it says so. A null stream is the
// legacy default stream. Every call puts its work behind what is on the stream and returns when it
// is done. Errors are exceptions: std::invalid_argument, std::bad_alloc, std::runtime_error.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cuda/frames.hpp"
#include "drift/bandpass.hpp"
#include "drift/regression.hpp"
#include "drift/rings.hpp"
#include "ncc/geometry.hpp"
#include "ncc/least_pixels.hpp"
#include "ncc/masked_lag.hpp"
#include "ncc/ncc.hpp"
#include "ncc/spectral.hpp"
#include "spectrum/whiteness.hpp"
#include "tiling/axis.hpp"
#include "tiling/statistics.hpp"

namespace stemzoo::cuda {

struct DeviceInfo {
    std::string name;
    std::size_t total_bytes = 0, free_bytes = 0;
    int major = 0, minor = 0;  // compute capability
};

// One axis of a tiling, in memory of the host that is read during the call.
struct AxisData {
    AxisGrid<std::size_t> grid;
    const float* profile;
    const float* share;  // of the whole axis; null where windows are cropped
};

// The twin of Tiling::split and Tiling::blend. Threads may share it.
class Tiles {
  public:
    virtual ~Tiles() = default;
    virtual void split(const Frames& image, double offset, double scale, const Limits* limits,
                       std::size_t first, std::size_t count, float* batch, void* stream) const = 0;
    virtual void blend(const float* batch, std::size_t first, std::size_t count, double gain,
                       const float* fill, const View<float>& out, void* stream) const = 0;
};

struct PixelMoments {
    double mean = 0, std = 0;
    double low = 0, high = 0;
    bool finite = false;
};

// The twin of ncc::Reference without masks. Threads that share it take turns.
class Correlator {
  public:
    virtual ~Correlator() = default;

    // One surface after the other, in memory of the device or of the host, like the frames, which
    // are copied a few at a time while the ones before are correlated. Throws std::invalid_argument
    // if a pixel is not finite.
    virtual void correlate(const Frames& frames, bool frames_on_host, float* surfaces,
                           bool surfaces_on_host, void* stream) = 0;

    // Bytes of the device that it holds now.
    virtual std::size_t bytes() const = 0;
};

struct CorrelatorSettings {
    ncc::Geometry geometry;
    double min_pixels = 0;  // lags that overlap in fewer become 0
    std::size_t working_bytes =
        0;  // for frames that are correlated at the same time; one always is
};

// A frame of which some pixels are valid: scaled, and zero where they are not; in memory of the
// host.
struct MaskedFrame {
    const double *pixels, *valid;  // one after another
    double offset;                 // of the scaling, in scaled units
    ncc::MaskedNorms norms;
};

// The twin of ncc::Masked. Threads that share it take turns.
class MaskedCorrelator {
  public:
    virtual ~MaskedCorrelator() = default;
    // How many frames are correlated at the same time.
    virtual std::size_t at_once() const = 0;
    // One surface after the other, in memory of the host.
    virtual void correlate(const std::vector<MaskedFrame>& frames, float* surfaces,
                           void* stream) = 0;
    virtual std::size_t bytes() const = 0;
};

// What the estimator of drifts (drift/estimator.hpp) measures of some frames and of their
// reference: sums and surfaces. The host cleans the frames and decides. One thread at a time.
struct DriftSettings {
    Shape image;
    const drift::Rings& rings;  // this and the rest are read while it is made
    const drift::BandTables& band;
    std::array<spectrum::Patch, 4> patches;  // empty where a frame is too small to tell a colour
    float standing_out;                      // times the level of its ring: a lattice's
    std::size_t most_frames;                 // at the same time
    std::size_t working_bytes;               // and at most for these; one always is
};

struct DriftSummary {
    double noise = 0;  // power of white noise in one frequency
    drift::BandPower band;
    std::array<double, 4> log_powers{};  // of the patches
    double power = 0;                    // of all frequencies, as chance knows it
};

struct DriftOverlap {
    drift::OverlapSums sums;
    double pixels = 0;
};

class DriftPairs {
  public:
    virtual ~DriftPairs() = default;

    virtual std::size_t at_once() const = 0;
    // Memory of the host for the cleaned pixels of so many frames, one after the other.
    virtual float* pixels() = 0;
    virtual std::size_t bytes() const = 0;

    // Reads pixels(): the reference, or as many frames as there are scalings.
    virtual DriftSummary load_reference(const ncc::Scaling& scaling, void* stream) = 0;
    virtual std::vector<DriftSummary> load(const std::vector<ncc::Scaling>& scalings,
                                           void* stream) = 0;

    // Of all frames loaded. Correlations on a grid of every pixel or every other one, up to `cut`
    // points from zero lag, one surface after the other, in memory of the host.
    virtual void correlate(std::size_t step, Shape cut, float* surfaces, void* stream) = 0;
    // Refines each frame from its start; frames without a start are skipped.
    using Starts = std::vector<std::optional<std::array<double, 2>>>;
    virtual std::vector<std::optional<drift::Refined>> refine(const Starts& starts,
                                                              void* stream) = 0;
    // Sums over the overlap of each frame with the reference, shifted by whole pixels.
    virtual std::vector<DriftOverlap> overlaps(const Starts& shifts, void* stream) = 0;
    virtual std::vector<double> common_powers(void* stream) = 0;
};

class Module {
  public:
    virtual ~Module() = default;

    // How many devices there are; why there are none is then in `reason`.
    virtual int devices(std::string& reason) const = 0;
    virtual DeviceInfo describe(int device) const = 0;

    virtual void* allocate(int device, std::size_t bytes) const = 0;
    virtual void release(int device, void* memory) const noexcept = 0;
    // Either side may be the host's.
    virtual void copy(int device, void* to, const void* from, std::size_t bytes,
                      void* stream) const = 0;
    virtual void wait(int device, void* stream) const = 0;
    // The pixels of one image, one after another.
    virtual void pack(int device, const Frames& image, void* packed, void* stream) const = 0;
    // The device that memory belongs to; -1 for the host's.
    virtual int device_of(const void* memory) const = 0;

    virtual PixelMoments moments(int device, const Frames& image, void* stream) const = 0;
    virtual std::unique_ptr<Tiles> tiles(int device, const AxisData& rows,
                                         const AxisData& cols) const = 0;
    virtual std::unique_ptr<Correlator> correlator(int device, const Frames& reference,
                                                   bool reference_on_host,
                                                   const CorrelatorSettings& settings,
                                                   void* stream) const = 0;

    virtual std::unique_ptr<MaskedCorrelator> masked_correlator(int device,
                                                                const MaskedFrame& reference,
                                                                const CorrelatorSettings& settings,
                                                                void* stream) const = 0;
    virtual std::unique_ptr<DriftPairs> drift_pairs(int device,
                                                    const DriftSettings& settings) const = 0;

    // Whether memory of the "device" is the host's: in the tests, which emulate it.
    virtual bool emulated() const = 0;
};

// As Tiling and ncc::Reference would have it.
inline AxisData axis_data(const Axis& axis) {
    return {axis.grid(), axis.profile(), axis.whole_share()};
}
inline CorrelatorSettings correlator_settings(Shape image, const ncc::Settings& settings,
                                              std::size_t working_bytes) {
    return {ncc::make_geometry(image, settings.max_dy, settings.max_dx),
            ncc::least_pixels(settings.min_overlap, image), working_bytes};
}

// The function that the module exports by this name. Null if `version` is not its own version: the
// two are built together or not used together.
using OpenModule = const Module* (*)(const char* version);
inline constexpr const char* open_module_name = "stemzoo_cuda_module";

}  // namespace stemzoo::cuda
