#pragma once
// HnswState: all that an HNSW index holds, as one value. Copying it copies the index.
//
// A slot is in one of four states:
//   empty   id -1, in `free_slots`; no links, in no list of anybody
//   vertex  id >= 0, links on level 0 .. level(slot)
//   twin    id >= 0, no links; equal to the vertex at the head of its chain
//   dead    id -1, in `dead`; removed, but still linked and walked through until the next repair
// A removal only marks; when dead vertices are more than a fiftieth, `repair` takes them out of all lists at once and
// gives their slots free. A search never returns them meanwhile.

#include <cstdint>
#include <optional>

#include "hnsw/norm_order.hpp"
#include "hnsw/twins.hpp"
#include "items/storages.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/layered_graph.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/hnsw.hpp"

namespace segue {

struct HnswState {
  HnswState(std::size_t dim, Metric index_metric, const HnswOptions& index_options, const kernels::KernelTable& table)
      : metric(index_metric),
        options(index_options),
        rows(table, index_options.storage, dim),
        graph(index_options.m, index_options.seed) {
    if (options.rerank != Storage::kAuto) fine.emplace(table, options.rerank, dim);
  }

  Metric metric;
  HnswOptions options;
  IdMap ids;
  VectorStore rows;                 // what a walk reads
  std::optional<VectorStore> fine;  // what decides, where it is kept
  LayeredGraph graph;
  Twins twins;
  NormOrder norms;
  Buffer<std::uint32_t> dead;
  Buffer<std::uint32_t> free_slots;

  const VectorStore& finest() const noexcept { return fine ? *fine : rows; }
  RowMetric search_metric() const noexcept { return score_metric(metric); }
  // Under inner product the links are Euclidean: there the diversity of links means something, and a walk by inner
  // product over them finds what a walk over links by inner product does not (as in PSP, arXiv 2503.06882, section 4).
  RowMetric link_metric() const noexcept {
    return metric == Metric::kCosine ? RowMetric::kDot : RowMetric::kSquaredL2;
  }
  // To the last bit, in all that is kept of them.
  bool equal_items(std::uint32_t a, std::uint32_t b) const noexcept {
    return rows.equal_rows(a, b) && (!fine || fine->equal_rows(a, b));
  }
  bool is_vertex(std::uint32_t slot) const noexcept { return ids.id(slot) >= 0 && !twins.is_twin(slot); }
};

}  // namespace segue
