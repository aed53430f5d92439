#pragma once
// What the library's own layers above the indexes ask of an index beyond its public face.

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
};

// Of an index of one of the library's kinds.
inline const IndexInternals& internals_of(const Index& index) { return dynamic_cast<const IndexInternals&>(index); }

}  // namespace segue
