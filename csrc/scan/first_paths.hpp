// First paths of two scans, good to a fraction of a pixel: a constant drift, then a smooth one.
//
// A point of the specimen appears in one scan where the path was then, in the other where it was at
// another time. How far apart it appears, here and there, is the difference of a function of one
// scan's rows and a function of the other's.
#pragma once

#include "scan/scan.hpp"

namespace stemzoo::scan {

// Adds to the paths of both scans. The picture is the common grid.
void align_pair(Scan& first, Scan& second, Shape picture, unsigned threads);

// Adds to the path of the second alone: the first is placed already, or a merge of such.
void align_to(const std::vector<float>& placed, Scan& second, Shape picture, unsigned threads);

}  // namespace stemzoo::scan
