// One scan of a specimen: what was recorded, and where the beam was.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "core/array.hpp"
#include "scan/row_likelihood.hpp"

namespace stemzoo::scan {

// Pixel (y, x) was recorded at (y, x) + path[y] of the scan's own axes. Pixels that are not finite
// are unknown.
struct Scan {
    const float* pixels = nullptr;
    Shape shape;
    double angle = 0;  // degrees by which the specimen appears turned counter-clockwise
    std::vector<Pair> path;
    std::vector<Pair> jitter;  // what part of the path is of each row alone; empty: none
    Pair shaking;              // variance of the jitter, px^2
    // Reads the pixels of a scan that is not in memory.
    std::function<std::shared_ptr<const float>()> load = {};
};

// A scan with its pixels in memory, where they are as long as this lives.
class Loaded {
  public:
    explicit Loaded(const Scan& scan) : scan_(scan) {
        if (!scan.load) return;
        pixels_ = scan.load();
        scan_.pixels = pixels_.get();
        scan_.load = {};
    }
    const Scan& operator*() const { return scan_; }
    const Scan* operator->() const { return &scan_; }

  private:
    Scan scan_;
    std::shared_ptr<const float> pixels_;
};

// From the axes of a scan to those of the picture that all scans are merged into. Both turn about
// the middle of their frame.
class Placement {
  public:
    Placement(const Scan& scan, Shape picture)
        : middle_{0.5 * (static_cast<double>(picture.rows) - 1),
                  0.5 * (static_cast<double>(picture.cols) - 1)},
          scan_middle_{0.5 * (static_cast<double>(scan.shape.rows) - 1),
                       0.5 * (static_cast<double>(scan.shape.cols) - 1)},
          cos_(exact(std::cos(scan.angle * radian))),
          sin_(exact(std::sin(scan.angle * radian))) {}

    Pair turned(Pair d) const { return {cos_ * d.y + sin_ * d.x, cos_ * d.x - sin_ * d.y}; }
    Pair turned_back(Pair d) const { return {cos_ * d.y - sin_ * d.x, cos_ * d.x + sin_ * d.y}; }

    Pair to_picture(Pair at) const {
        const Pair d = turned({at.y - scan_middle_.y, at.x - scan_middle_.x});
        return {middle_.y + d.y, middle_.x + d.x};
    }
    Pair to_scan(Pair at) const {
        const Pair d = turned_back({at.y - middle_.y, at.x - middle_.x});
        return {scan_middle_.y + d.y, scan_middle_.x + d.x};
    }
    // From one pixel of a row to the next.
    Pair step() const { return {sin_, cos_}; }

  private:
    static constexpr double radian = 3.14159265358979323846 / 180;
    // Quarter turns map pixels onto pixels.
    static double exact(double v) {
        return std::abs(v - std::round(v)) < 1e-12 ? std::round(v) : v;
    }

    Pair middle_, scan_middle_;
    double cos_, sin_;
};

}  // namespace stemzoo::scan
