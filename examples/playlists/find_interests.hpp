#pragma once
// What a person likes, as one direction or two.

#include <cstddef>
#include <vector>

namespace playlists {

// The mean of rows of `dim` numbers; at least one row.
std::vector<float> mean_row(const std::vector<float>& rows, std::size_t dim);

// Halves the rows where they differ most, before and behind their mean along their first principal axis, and gives the
// mean of each half: that of more rows first. One row where they are all the same.
std::vector<float> find_interests(const std::vector<float>& rows, std::size_t dim);

}  // namespace playlists
