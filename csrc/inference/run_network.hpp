// One image through a network: normalise, split into tiles, run the network, blend. The network is
// a callback, so that every host brings the runtime it has.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "core/array.hpp"
#include "core/progress.hpp"
#include "inference/fill_masked.hpp"
#include "tiling/tiling.hpp"

namespace stemzoo::inference {

// Normalised tiles, one after another in memory. The memory is used again for the next batch, and
// lives for as long as anybody holds it.
struct Batch {
    std::shared_ptr<float> pixels;
    std::size_t count;
    Shape tile;
};

// Returns as many tiles of the same shape, which stay valid until the next call. What it throws
// comes through unchanged.
using Network = std::function<const float*(const Batch& batch)>;

// Small tiles go to the network together, up to this many pixels.
inline constexpr std::size_t kBatchPixels = std::size_t{1} << 20;

// The network sees (image - mean) / std.
struct Normalisation {
    double mean, std;
};

struct Options {
    std::optional<Normalisation> normalisation{};  // none: the mean and std of the image
    std::optional<Mask> mask{};
    Progress progress{};   // called after every batch, of tiles
    unsigned threads = 0;  // 0: all cores
};

// What the network has seen, for the record.
struct Normalised {
    double mean, std;
    std::optional<Limits> limits;  // where there are hot pixels: the range of all others
};

class Canvas;  // canvas.hpp

// The run of one image, batch by batch, for a host whose network does not answer within a call:
//
//     while (const Batch* batch = run.next()) run.take(network(*batch));
//
// The image, the mask and `out` are kept by the caller until the end.
class NetworkRun {
  public:
    NetworkRun(const AnyView& image, const Tiling& tiling, const View<float>& out,
               const Options& options = {});
    NetworkRun(std::unique_ptr<Canvas> canvas, const Tiling& tiling,
               const std::optional<Normalisation>& normalisation);
    ~NetworkRun();
    NetworkRun(const NetworkRun&) = delete;
    NetworkRun& operator=(const NetworkRun&) = delete;

    const Batch* next();               // null after the last; the same one until it is taken
    void take(const float* answers);   // what the network made of it
    const Normalised& finish() const;  // after the last

    std::size_t done() const { return done_; }  // tiles
    std::size_t total() const { return total_; }

  private:
    std::unique_ptr<Canvas> canvas_;
    std::size_t total_;
    Normalised by_{};
    Batch batch_{};
    std::size_t at_once_ = 0, count_ = 0, done_ = 0;
};

// All batches of a run. Throws Cancelled if `progress` says so.
Normalised run(NetworkRun& image, const Network& network, const Progress& progress);

// Writes what the network makes of the image to `out`, in the units of the image. Hot pixels are
// limited to the range of all others (tiling/statistics.hpp); masked ones are filled with the mean.
//
// Throws std::invalid_argument if the image has one pixel, if pixels that are not masked are NaN or
// infinite, and if the result does not fit float32; Cancelled if `progress` says so.
Normalised run_network(const AnyView& image, const Tiling& tiling, const Network& network,
                       const View<float>& out, const Options& options = {});

}  // namespace stemzoo::inference
