// Keeps displacements from drifting pass by pass.
#pragma once

#include <vector>

namespace stemzoo::scan {

// A pilot reproduces displacements that are periodic with the lattice, or slow. The counts say
// nothing about these, and without a limit they would drift from pass to pass. So a change is no
// larger than a fraction of the last one at any frequency of rows.
class Damping {
  public:
    // What is left of the change of a pass; all of the first.
    std::vector<double> limited(const std::vector<double>& change);

  private:
    std::vector<double> last_;  // amplitude of the last change by frequency
};

}  // namespace stemzoo::scan
