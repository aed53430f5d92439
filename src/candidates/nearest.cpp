#include "candidates/nearest.hpp"

namespace segue {
namespace {

bool same_set(const IdSet* a, const IdSet* b) { return a == b || (a != nullptr && b != nullptr && *a == *b); }

}  // namespace

SearchOptions Nearest::search_options(std::size_t n, const IdSet* allowed, Lists& lists) const {
  SearchOptions options;
  options.ef = options_.ef == 0 ? 0 : std::max(options_.ef, n);
  options.nprobe = options_.nprobe;
  options.recall = options_.recall;
  options.filter = allowed;
  options.threads = 1;
  options.stats = lists.stats;
  return options;
}

Status Nearest::search(MatrixView vectors, std::size_t n, const Wanted& wanted, const Deadline& deadline, Lists& lists,
                       Proposals& out) const {
  const std::size_t m = vectors.rows();
  lists.n = n;
  lists.ids.resize(m * n);
  lists.scores.resize(m * n);
  lists.stats.assign(m, {});
  SearchOptions options = search_options(n, wanted.allowed, lists);
  options.exclude = {wanted.exclude, {}};
  if (wanted.deadline_us > 0) {
    options.deadline_us = std::max<std::int64_t>(1, deadline.left_us() / static_cast<std::int64_t>(m));
  }
  SEGUE_RETURN_IF_ERROR(index_->search_into(vectors, n, options, lists.ids.data(), lists.scores.data()));
  for (const QueryStats& stats : lists.stats) out.cut |= stats.cut;
  return {};
}

Status Nearest::propose(const Wanted& wanted, Proposals& out) const {
  out.larger_is_better = larger_is_better();
  Sought sought;
  SEGUE_RETURN_IF_ERROR(seek(wanted.request, sought));
  if (sought.vectors.rows() == 0) {
    out.exhausted = true;
    return {};
  }
  Lists lists;
  SEGUE_RETURN_IF_ERROR(search(sought.vectors, wanted.n, wanted, Deadline(wanted.deadline_us), lists, out));
  conclude(wanted, sought, lists, 0, out);
  return {};
}

Status Nearest::search_together(std::span<const Wanted> wanted, std::span<const Sought> sought,
                                std::span<const std::uint32_t> which, Lists& lists) const {
  std::vector<float> queries;
  std::vector<Id> excluded;
  std::vector<std::size_t> offsets = {0};
  for (const std::uint32_t i : which) {
    const MatrixView vectors = sought[i].vectors;
    queries.insert(queries.end(), vectors.data(), vectors.data() + vectors.rows() * vectors.cols());
    for (std::size_t row = 0; row < vectors.rows(); ++row) {
      excluded.insert(excluded.end(), wanted[i].exclude.begin(), wanted[i].exclude.end());
      offsets.push_back(excluded.size());
    }
  }
  const std::size_t m = offsets.size() - 1;
  lists.n = wanted[which[0]].n;
  lists.ids.resize(m * lists.n);
  lists.scores.resize(m * lists.n);
  lists.stats.clear();
  SearchOptions options = search_options(lists.n, wanted[which[0]].allowed, lists);
  if (!excluded.empty()) options.exclude = {excluded, offsets};
  return index_->search_into(MatrixView(queries, index_->dim()), lists.n, options, lists.ids.data(), lists.scores.data());
}

bool Nearest::propose_batch(std::span<const Wanted> wanted, std::span<Proposals> out) const {
  std::vector<Sought> sought(wanted.size());
  std::vector<std::uint32_t> open, together, later;
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    if (!is_one_search(wanted[i].request)) {
      if (!propose(wanted[i], out[i]).ok()) return false;
      continue;
    }
    out[i].larger_is_better = larger_is_better();
    if (!seek(wanted[i].request, sought[i]).ok()) return false;
    out[i].exhausted = sought[i].vectors.rows() == 0;
    if (!out[i].exhausted) open.push_back(i);
  }
  Lists lists;
  while (!open.empty()) {
    const Wanted& first = wanted[open.front()];
    together.clear();
    later.clear();
    for (const std::uint32_t i : open) {
      (wanted[i].n == first.n && same_set(wanted[i].allowed, first.allowed) ? together : later).push_back(i);
    }
    if (!search_together(wanted, sought, together, lists).ok()) return false;
    std::size_t list = 0;
    for (const std::uint32_t i : together) {
      conclude(wanted[i], sought[i], lists, list, out[i]);
      list += sought[i].vectors.rows();
    }
    open.swap(later);
  }
  return true;
}

void Nearest::conclude_scaled(const Wanted& wanted, double factor, double offset, const Lists& lists, std::size_t first,
                              Proposals& out) {
  const std::size_t n = lists.count(first);
  const auto begin = static_cast<std::ptrdiff_t>(first * lists.n);
  const auto end = begin + static_cast<std::ptrdiff_t>(n);
  out.ids.assign(lists.ids.begin() + begin, lists.ids.begin() + end);
  out.scores.resize(n);
  std::transform(lists.scores.begin() + begin, lists.scores.begin() + end, out.scores.begin(),
                 [&](float score) { return static_cast<float>(factor * static_cast<double>(score) + offset); });
  out.exhausted = n < wanted.n && !out.cut;
}

}  // namespace segue
