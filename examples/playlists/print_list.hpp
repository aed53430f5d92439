#pragma once
// A list of candidates for people to judge.

#include <string>
#include <vector>

#include "read_service.hpp"
#include "segue/segue.hpp"

namespace playlists {

// The first `rows` of a generator's answer: place, a ✓ where the listener took it later, the song, its score, and which
// sources proposed it at which place.
void print_list(const Service& service, std::size_t listener, const segue::Candidates& found,
                const segue::GeneratorOptions& options, std::size_t rows);

// "taste 3, popular 17": which sources proposed candidate i, and at which place from 1.
std::string print_provenance(const segue::Candidates& found, std::size_t i,
                             const std::vector<segue::SourceSpec>& sources);

// A line a source: what it proposed and how long it took; and how the call ended.
void print_reports(const segue::Candidates& found, const std::vector<segue::SourceSpec>& sources);

}  // namespace playlists
