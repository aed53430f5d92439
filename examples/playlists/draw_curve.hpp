#pragma once
// A picture of recall against speed, as a self-contained SVG.

#include <string>
#include <vector>

#include "measure_search.hpp"
#include "segue/status.hpp"

namespace playlists {

// The curve of the index over ef, and the exact scan as one more point. Recall runs along x, queries a second up y, on
// a logarithmic scale: up and to the right is better. kIoError where the file cannot be written.
segue::Status draw_curve(const std::string& path, const std::string& subtitle, const std::vector<CurvePoint>& curve,
                         const CurvePoint& exact);

}  // namespace playlists
