#pragma once
// HnswState: all that an HNSW index holds, as one value. Copying it copies the index.
//
// A slot is in one of five states:
//   empty   id -1, in `free_slots`; no links, in no list of anybody
//   vertex  id >= 0, links on level 0 .. level(slot)
//   twin    id >= 0, no links; equal to the vertex at the head of its chain
//   dead    id -1, in `dead`; removed, but still linked and walked through until the next repair
//   held    by a change that is under way: an id below -1, perhaps links already; nobody finds it yet
// A removal only marks; when dead vertices are more than a fiftieth, a repair takes them out of all lists, some with each
// change that follows, and gives their slots free at its end. A search never returns them meanwhile.

#include <cstdint>
#include <memory>
#include <optional>

#include "codes/change_log.hpp"
#include "codes/code_blocks.hpp"
#include "hnsw/regions.hpp"
#include "hnsw/relaxed_count.hpp"
#include "hnsw/twins.hpp"
#include "items/storages.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/head_coder.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/layered_graph.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/hnsw.hpp"

namespace segue {

// Whether the index looks at its vectors before it codes them (hnsw/adapt_storage.hpp). Until then rows are kF32.
constexpr bool adapts(Storage asked) noexcept { return asked == Storage::kAuto || asked == Storage::kPca8; }

// Vectors into slots of kPca8 rows and of the finer copy, if there is one: the rest for kSq8, else the whole vector.
void write_coded(const HeadCoder& coder, MatrixView vectors, const std::uint32_t* slots, VectorStore& rows,
                 std::optional<VectorStore>& fine, HeadMemory& memory);

// A repair that is under way (hnsw/repair_graph.hpp). No file has it: an index that was read begins anew.
struct Repairing {
  std::size_t dead = 0;   // the first so many of HnswState::dead are being taken out of lists; 0: no repair is under way
  std::size_t slots = 0;  // whose lists are without them
  std::size_t owed = 0;   // slots that changes have brought and no step has looked at yet
};

struct HnswState {
  HnswState(std::size_t index_dim, Metric index_metric, const HnswOptions& index_options,
            const kernels::KernelTable& table)
      : dim(index_dim),
        metric(index_metric),
        options(index_options),
        rows(table, adapts(index_options.storage) ? Storage::kF32 : index_options.storage, index_dim),
        graph(index_options.m, index_options.seed),
        codes(table, index_dim, RowMetric::kDot) {
    if (options.rerank != Storage::kAuto && !adapts(options.storage)) fine.emplace(table, options.rerank, dim);
  }

  std::size_t dim;
  Metric metric;
  HnswOptions options;  // as asked
  IdMap ids;
  VectorStore rows;                         // what a walk reads
  std::optional<VectorStore> fine;          // what decides, where it is kept; kSq8: what kPca8 rows leave over
  std::shared_ptr<const HeadCoder> coder;   // where rows are kPca8
  std::size_t trained_on = 0;               // items there were when directions, or their uselessness, were found
  LayeredGraph graph;
  Twins twins;
  CodeBlocks codes;  // of the vertices, under inner product alone: what a search scans before it walks
  Regions regions;   // of all items, under l2 and cosine: what a search under a filter goes by
  ChangeLog changes;  // slots that other items, or none, have now
  Buffer<std::uint32_t> dead;
  Buffer<std::uint32_t> free_slots;
  Repairing repairing;
  RelaxedCount held;  // slots
  std::size_t arrived = 0;  // items that have come since the slots were laid out, or read (hnsw/lay_out.hpp)

  const VectorStore& finest() const noexcept { return fine ? *fine : rows; }
  RowMetric search_metric() const noexcept { return score_metric(metric); }
  // Head codes know distances only; of vectors of one length these sort as their cosines do.
  RowMetric walk_metric() const noexcept { return coder ? RowMetric::kSquaredL2 : search_metric(); }
  // Whether head codes (and their rest, if any) decide.
  bool decides_by_head() const noexcept { return coder && (!fine || fine->storage() == Storage::kSq8); }
  const VectorStore* rest() const noexcept { return fine ? &*fine : nullptr; }

  // Vectors (normalised under cosine) into slots; safe for distinct slots at once.
  void write(MatrixView vectors, const std::uint32_t* slots, HeadMemory& memory) {
    if (coder) return write_coded(*coder, vectors, slots, rows, fine, memory);
    for (std::size_t i = 0; i < vectors.rows(); ++i) {
      rows.write(slots[i], vectors.row(i));
      if (fine) fine->write(slots[i], vectors.row(i));
    }
  }
  // The vector that a slot stands for.
  void read(std::uint32_t slot, float* out, HeadMemory& memory) const {
    read(std::span(&slot, 1), out, memory);
  }
  // Of several, one after the other.
  void read(std::span<const std::uint32_t> slots, float* out, HeadMemory& memory) const {
    if (decides_by_head()) return coder->decode(rows, rest(), slots, out, memory);
    finest().read(slots, out);
  }
  void prepare_walk(const float* query, PreparedQuery& out, HeadMemory& memory) const {
    if (coder) return coder->prepare(query, rows, out, memory);
    out.prepare(rows, query);
  }

  // The query as numbers like those that rows stand for; after prepare_walk.
  const float* walk_numbers(const float* query, const HeadMemory& memory) const noexcept {
    if (!coder) return query;
    return coder->projection().rotates() ? memory.head.data() : memory.moved.data();
  }

  // Under inner product the links are Euclidean: there the diversity of links means something, and a walk by inner
  // product over them finds what a walk over links by inner product does not (as in PSP, arXiv 2503.06882, section 4).
  RowMetric link_metric() const noexcept {
    return metric == Metric::kCosine && !coder ? RowMetric::kDot : RowMetric::kSquaredL2;
  }
  // To the last bit, in all that is kept of them.
  bool equal_items(std::uint32_t a, std::uint32_t b) const noexcept {
    return rows.equal_rows(a, b) && (!fine || fine->equal_rows(a, b));
  }
  // Whether walks come to vertices that are no items.
  std::size_t ghosts() const noexcept { return dead.size() + held.get(); }
  bool is_vertex(std::uint32_t slot) const noexcept { return ids.id(slot) >= 0 && !twins.is_twin(slot); }
};

}  // namespace segue
