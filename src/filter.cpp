#include "segue/filter.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "id_set_builder.hpp"
#include "segue/core/id_set_reader.hpp"

namespace segue {

IdSet::IdSet() noexcept = default;
IdSet::IdSet(const IdSet&) noexcept = default;
IdSet& IdSet::operator=(const IdSet&) noexcept = default;
IdSet::~IdSet() = default;

IdSet::IdSet(IdSet&& other) noexcept
    : body_(std::move(other.body_)), complement_(std::exchange(other.complement_, false)) {}

IdSet& IdSet::operator=(IdSet&& other) noexcept {
  if (this == &other) return *this;
  body_ = std::move(other.body_);
  complement_ = std::exchange(other.complement_, false);
  return *this;
}

IdSet::IdSet(std::shared_ptr<const Body> body, bool complement) noexcept
    : body_(std::move(body)), complement_(complement) {}

bool IdSet::contains(Id id) const noexcept { return IdSetReader(*this).contains(id); }

bool IdSet::is_complement() const noexcept { return complement_; }

std::size_t IdSet::listed() const noexcept { return body_ == nullptr ? 0 : body_->listed; }

std::vector<Id> IdSet::listed_ids() const {
  std::vector<Id> ids;
  ids.reserve(listed());
  IdSetReader(*this).for_each_listed([&](Id id) { ids.push_back(id); });
  return ids;
}

std::size_t IdSet::memory_usage() const noexcept {
  if (body_ == nullptr) return 0;
  return sizeof(Body) + body_->keys.capacity() * sizeof(body_->keys[0]) +
         body_->chunks.capacity() * sizeof(body_->chunks[0]) + body_->data.capacity() * sizeof(body_->data[0]) +
         body_->direct.capacity() * sizeof(body_->direct[0]);
}

bool IdSet::operator==(const IdSet& other) const noexcept {
  if (complement_ != other.complement_ || listed() != other.listed()) return false;
  if (body_ == other.body_) return true;
  // Both list as many ids and are not the same: neither body is null.
  return body_->keys == other.body_->keys && body_->chunks == other.body_->chunks && body_->data == other.body_->data;
}

namespace {

Status broken(const std::string& what) { return {StatusCode::kCorruptFile, "IdSet: " + what}; }

Status validate_container(std::uint64_t key, const IdSetChunk& chunk, const std::uint16_t* units) {
  const std::string name = "chunk " + std::to_string(key);
  if (chunk.is_bitmap()) {
    const std::size_t bits = count_bits(units);
    if (bits == chunk.count) return {};
    return broken(name + " has " + std::to_string(bits) + " bits and a count of " + std::to_string(chunk.count));
  }
  for (std::size_t i = 1; i < chunk.count; ++i) {
    if (units[i - 1] >= units[i]) return broken(name + " does not ascend at " + std::to_string(i));
  }
  return {};
}

}  // namespace

Status IdSet::validate() const {
  if (body_ == nullptr) return {};
  const Body& b = *body_;
  if (b.keys.empty()) return broken("a body without ids");
  if (b.keys.size() != b.chunks.size()) return broken("keys and chunks differ in number");
  std::size_t listed = 0, units = 0;
  for (std::size_t c = 0; c < b.keys.size(); ++c) {
    const IdSetChunk& chunk = b.chunks[c];
    const std::string name = "chunk " + std::to_string(b.keys[c]);
    if (b.keys[c] >> (63 - kIdSetChunkBits) != 0) return broken(name + " lies beyond the largest id");
    if (c > 0 && b.keys[c - 1] >= b.keys[c]) return broken(name + " is out of order");
    if (chunk.count == 0 || chunk.count > kIdSetChunkIds) return broken(name + " has an impossible count");
    if (chunk.offset != units || chunk.units() > b.data.size() - units) return broken(name + " is misplaced");
    SEGUE_RETURN_IF_ERROR(validate_container(b.keys[c], chunk, b.data.data() + chunk.offset));
    units += chunk.units();
    listed += chunk.count;
  }
  if (units != b.data.size()) return broken("data beyond the last chunk");
  if (listed != b.listed) return broken("the count of listed ids is wrong");

  const bool dense = b.keys.back() < kIdSetDirectSlack + kIdSetDirectSparsity * b.keys.size();
  if (b.direct.size() != (dense ? b.keys.back() + 1 : 0)) return broken("the direct directory has a wrong size");
  std::size_t present = 0;
  for (const IdSetChunk& chunk : b.direct) present += chunk.count != 0;
  if (dense && present != b.keys.size()) return broken("the direct directory has extra chunks");
  for (std::size_t c = 0; dense && c < b.keys.size(); ++c) {
    if (!(b.direct[b.keys[c]] == b.chunks[c])) return broken("the direct directory differs from the sorted one");
  }
  return {};
}

}  // namespace segue
