#pragma once
// LinkEdits: lists that are to take the place of those in a graph that others walk, and perhaps another entry.
//
// Each list is written by one worker, in the place that it was given; they are put into the graph some at a time.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "items/publisher.hpp"
#include "segue/core/layered_graph.hpp"

namespace segue {

class LinkEdits {
 public:
  // About as many as are written in some microseconds.
  static constexpr std::size_t kPiece = 64;

  std::size_t size() const noexcept { return edits_.size(); }
  void clear() noexcept {
    edits_.clear();
    links_.clear();
    entry_ = kNoVertex;
  }
  // Places for n more lists of at most `degree` links; number of the first.
  std::size_t make_places(std::size_t n, std::size_t degree) {
    const std::size_t first = edits_.size();
    const std::size_t at = links_.size();
    links_.resize(at + n * degree);
    edits_.resize(first + n);
    for (std::size_t i = 0; i < n; ++i) edits_[first + i].at = at + i * degree;
    return first;
  }
  void write(std::size_t place, std::uint32_t vertex, std::size_t level, std::span<const std::uint32_t> links) noexcept {
    Edit& edit = edits_[place];
    edit.vertex = vertex;
    edit.level = static_cast<std::uint16_t>(level);
    edit.size = static_cast<std::uint16_t>(links.size());
    for (std::size_t i = 0; i < links.size(); ++i) links_[edit.at + i] = links[i];
  }
  void set_entry(std::uint32_t vertex) noexcept { entry_ = vertex; }

  // While nobody reads.
  void apply(LayeredGraph& graph, std::size_t begin, std::size_t end) const noexcept {
    for (std::size_t i = begin; i < end; ++i) {
      const Edit& edit = edits_[i];
      if (edit.vertex != kNoVertex) graph.set_links(edit.vertex, edit.level, {links_.data() + edit.at, edit.size});
    }
    if (end == edits_.size() && entry_ != kNoVertex) graph.set_entry(entry_);
  }
  void apply(LayeredGraph& graph) const noexcept { apply(graph, 0, size()); }
  // Piece by piece; then there are none.
  void publish(LayeredGraph& graph, const Publisher& publish) {
    if (size() != 0) {
      publish.in_pieces(size(), kPiece, [&](std::size_t begin, std::size_t end) { apply(graph, begin, end); });
    } else if (entry_ != kNoVertex) {
      publish([&] { apply(graph); });
    }
    clear();
  }

 private:
  struct Edit {
    std::uint32_t vertex = kNoVertex;  // none: nothing was written here
    std::uint16_t level = 0;
    std::uint16_t size = 0;
    std::size_t at = 0;
  };

  std::vector<Edit> edits_;
  std::vector<std::uint32_t> links_;
  std::uint32_t entry_ = kNoVertex;
};

}  // namespace segue
