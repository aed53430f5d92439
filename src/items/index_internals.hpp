#pragma once
// What the library's own layers above the indexes ask of an index beyond its public face.

#include <cstddef>
#include <memory>
#include <vector>

#include "file/file_writer.hpp"
#include "segue/index.hpp"
#include "segue/status.hpp"
#include "segue/types.hpp"

namespace segue {

class IndexInternals {
 public:
  virtual ~IndexInternals() = default;
  // What an add without ids begins with; see next_id.hpp.
  virtual Id next_id() const = 0;
  // Hands over all that a file of it holds, its catalog included; nothing changes the index meanwhile.
  virtual Status with_sections(const WriteSections& use) const = 0;
  // Ids and rows, as they are stored, of what lies in `count` slots from `first` on, in place of what the vectors hold; how
  // many slots there are. Piece by piece a scan of all, beside changes: an item that moves meanwhile may be missed or come twice.
  virtual std::size_t read_slots(std::size_t first, std::size_t count, std::vector<Id>& ids,
                                 std::vector<float>& rows) const = 0;
  // As set_metrics; without `changes` searches alone are counted, and changes make no spans: who makes them does both.
  virtual void observe(std::shared_ptr<Metrics> metrics, bool changes) const = 0;
};

// Of an index of one of the library's kinds.
inline const IndexInternals& internals_of(const Index& index) { return dynamic_cast<const IndexInternals&>(index); }

}  // namespace segue
