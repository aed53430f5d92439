#pragma once
// PowerCut: what a disk would hold of a folder if the power went after each call of the file layer.
//
//   PowerCut power(folder, [&] { return acknowledged; });
//   ... work in the folder ...
//   for (const PowerCut::Moment& moment : power.moments()) {
//     for (std::size_t variant = 0; variant < PowerCut::kVariants; ++variant) moment.restore(variant, other_folder);
//   }
//
// A disk has for certain: of a file what it held when it was last synced, and of the folder the names that it had when that was
// last synced. Of everything else it may have nothing, all, or some pages; names and bytes come independently. One at a time.

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace segue::test {

class PowerCut {
 public:
  struct File {
    std::vector<unsigned char> synced;
    std::vector<unsigned char> now;
  };
  struct Moment {
    std::string call;
    std::uint64_t mark = 0;  // what the function said then
    std::map<std::string, std::shared_ptr<const File>> synced_names;
    std::map<std::string, std::shared_ptr<const File>> names;

    // Writes into a folder that is there, whose files are removed first.
    void restore(std::size_t variant, const std::string& folder) const;
  };
  // Names synced or now; bytes as synced, as now, or as now with zeros, or old bytes, in pages that were not synced.
  static constexpr std::size_t kVariants = 8;
  static std::string describe(std::size_t variant);

  PowerCut(std::string folder, std::function<std::uint64_t()> mark);
  PowerCut(const PowerCut&) = delete;
  PowerCut& operator=(const PowerCut&) = delete;
  ~PowerCut();

  const std::vector<Moment>& moments() const;
};

}  // namespace segue::test
