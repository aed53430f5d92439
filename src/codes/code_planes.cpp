#include "codes/code_planes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace segue {
namespace {

using kernels::BlockPlane;
using kernels::kBlockGroupBytes;

// Scales that are tried, in those at which a row of the length and spread that steps were made for would be coded.
constexpr std::array<float, 9> kScales = {0.6f, 0.75f, 0.9f, 1.05f, 1.25f, 1.5f, 1.8f, 2.2f, 2.8f};
// Then on either side of the best, ever nearer.
constexpr std::array<float, 3> kNearer = {1.1f, 1.05f, 1.025f};
// How much more an error weighs along the item. Between 4 and 64 recall hardly moves.
constexpr double kAlong = 8;
constexpr int kPasses = 2;

// See the header.
constexpr double kDeviations = 4;

// A plane before it is known how many coordinates it has.
struct Place {
  unsigned width;
  unsigned place;  // of its bits in the code
};
// High places first, so that sums are shifted on the way (kernels/algorithms/blocks.hpp).
constexpr std::array<Place, 8> kPlaces = {{{4, 4}, {4, 3}, {4, 2}, {4, 1}, {2, 1}, {4, 0}, {2, 0}, {1, 0}}};

bool has_piece(unsigned bits, Place p) noexcept {
  if (p.width == 4) return bits >= 4 && (p.place == bits - 4 || (bits == 8 && p.place == 0));
  if (bits == 8) return false;
  if (p.width == 2) return (bits & 2) != 0 && p.place == (bits & 1);
  return (bits & 1) != 0;
}

std::size_t coordinates_a_word(unsigned width) noexcept { return 4 * (8 / width); }

}  // namespace

std::size_t CodePlanes::words_for(std::span<const unsigned char> bits) noexcept {
  std::size_t words = 0;
  for (const Place p : kPlaces) {
    const auto n = static_cast<std::size_t>(
        std::count_if(bits.begin(), bits.end(), [p](unsigned b) { return has_piece(b, p); }));
    words += (n + coordinates_a_word(p.width) - 1) / coordinates_a_word(p.width);
  }
  return words;
}

CodePlanes::CodePlanes(std::vector<unsigned char> bits, std::vector<float> steps)
    : bits_(std::move(bits)), steps_(std::move(steps)) {
  half_inverse_.resize(size());
  most_.resize(size());
  std::vector<std::vector<Piece>> pieces(size());
  for (std::size_t i = 0; i < size(); ++i) {
    half_inverse_[i] = 0.5f / steps_[i];
    most_[i] = static_cast<float>((1u << bits_[i]) - 1);
    one_bit_ = one_bit_ && bits_[i] == 1;
  }
  unsigned last_place = 0;
  for (const Place p : kPlaces) {
    const std::size_t first_word = words_, first_code = order_.size();
    for (std::size_t i = 0; i < size(); ++i) {
      if (!has_piece(bits_[i], p)) continue;
      const std::size_t at = order_.size() - first_code, group = at / 4, groups = 8 / p.width;
      const std::size_t word = first_word + group / groups;
      pieces[i].push_back({static_cast<std::uint32_t>(word * kBlockGroupBytes + at % 4),
                           static_cast<unsigned char>(group % groups * p.width), static_cast<unsigned char>(p.width),
                           static_cast<unsigned char>(p.place)});
      order_.push_back(static_cast<std::uint32_t>(i));
    }
    if (order_.size() == first_code) continue;
    const std::size_t whole = coordinates_a_word(p.width);
    const std::size_t words = (order_.size() - first_code + whole - 1) / whole;
    order_.resize(first_code + words * whole, kNone);
    words_ += words;
    if (!planes_.empty()) planes_.back().shift = last_place - p.place;
    planes_.push_back({p.width, static_cast<std::uint32_t>(words), 0});
    last_place = p.place;
  }
  piece_ends_.reserve(size());
  for (const std::vector<Piece>& own : pieces) {
    pieces_.insert(pieces_.end(), own.begin(), own.end());
    piece_ends_.push_back(static_cast<std::uint32_t>(pieces_.size()));
  }
}

// The levels that are nearest to what the numbers are at that scale.
void CodePlanes::take_levels(const float* numbers, float scale, float* levels) const noexcept {
  constexpr float kRound = 12582912;  // 1.5 * 2^23: a float this large has no fraction
  const float inverse = 1 / scale;
  for (std::size_t i = 0; i < size(); ++i) {
    const float u = numbers[i] * inverse * half_inverse_[i] + 0.5f * most_[i];
    const float whole = (u + kRound) - kRound;
    const float kept = whole > 0 ? (whole < most_[i] ? whole : most_[i]) : 0;
    levels[i] = 2 * kept - most_[i];
  }
}

CodePlanes::Moments CodePlanes::moments(const float* numbers, const float* row, const float* levels) const noexcept {
  Moments m;
  double row_squared = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    const double y = numbers[i], code = static_cast<double>(levels[i]) * steps_[i];
    m.with += y * code;
    m.squared += code * code;
    m.numbers += y * y;
    if (row == nullptr) continue;
    const double x = row[i];
    m.along += y * x;
    m.code_along += code * x;
    row_squared += x * x;
  }
  m.more = row_squared > 0 ? (kAlong - 1) / row_squared : 0;
  return m;
}

// Levels one up or down where that leaves less wrong, coordinate by coordinate.
void CodePlanes::refine(const float* numbers, const float* row, float* levels) const noexcept {
  Moments m = moments(numbers, row, levels);
  double wrong = m.wrong();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::size_t i = 0; i < size(); ++i) {
      const double step = steps_[i], along = row != nullptr ? row[i] : 0;
      for (const float change : {-2.0f, 2.0f}) {
        const float level = levels[i] + change;
        if (std::fabs(level) > most_[i]) continue;
        const double more = static_cast<double>(change) * step;
        Moments then = m;
        then.with += more * static_cast<double>(numbers[i]);
        then.squared += more * (2 * step * static_cast<double>(levels[i]) + more);
        then.code_along += more * along;
        if (!(then.wrong() < wrong)) continue;
        m = then;
        wrong = m.wrong();
        levels[i] = level;
        break;
      }
    }
  }
}

CodePlanes::Coded CodePlanes::encode(const float* numbers, const float* row, float* memory,
                                     unsigned char* to) const noexcept {
  for (std::size_t w = 0; w < words_; ++w) std::memset(to + w * kBlockGroupBytes, 0, 4);
  double squared = 0, in_steps = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    const double y = numbers[i], of_step = y / static_cast<double>(steps_[i]);
    squared += y * y;
    in_steps += of_step * of_step;
  }
  const double length = std::sqrt(squared);
  const Coded nothing{0, 0, 0, std::sqrt(in_steps)};
  // Too short to be divided by, or no numbers at all.
  if (!(length >= 0x1p-100 && length <= 0x1p100)) return nothing;
  float* best = memory;
  float* other = memory + size();
  double least = std::numeric_limits<double>::infinity();
  float best_part = kScales[0];
  const auto attempt = [&](float part) {
    take_levels(numbers, part * static_cast<float>(length), other);
    const double wrong = moments(numbers, row, other).wrong();
    if (!(wrong < least)) return;
    least = wrong;
    best_part = part;
    std::swap(best, other);
  };
  // Signs are the same at every scale.
  for (const float part : std::span(kScales).first(one_bit_ ? 1 : kScales.size())) attempt(part);
  for (const float nearer : std::span(kNearer).first(one_bit_ ? 0 : kNearer.size())) {
    const float middle = best_part;
    attempt(middle * nearer);
    attempt(middle / nearer);
  }
  if (std::isinf(least)) return nothing;  // no code points along the row
  // A single bit is the sign: others find less.
  if (!one_bit_) refine(numbers, row, best);
  const double scale = moments(numbers, row, best).scale();
  if (!(scale > 0 && scale <= 0x1p120)) return nothing;
  Coded coded{static_cast<float>(scale), 0, 0, 0};
  std::size_t piece = 0, run = 0;
  double run_error = 0, worst = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto code = static_cast<unsigned>((best[i] + most_[i]) * 0.5f);
    for (; piece < piece_ends_[i]; ++piece) {
      const Piece p = pieces_[piece];
      const unsigned bits = (code >> p.place) & ((1u << p.width) - 1);
      to[p.byte] = static_cast<unsigned char>(to[p.byte] | bits << p.low);
    }
    const double level = static_cast<double>(coded.scale) * best[i], number = level * steps_[i];
    const double wrong = numbers[i] - number;
    coded.length += level * level;
    coded.norm += number * number;
    run_error += wrong * wrong;
    if (i + 1 < size() && bits_[i + 1] == bits_[i]) continue;
    const double step = steps_[i];
    worst = std::max(worst, run_error / (static_cast<double>(i + 1 - run) * step * step));
    run = i + 1;
    run_error = 0;
  }
  coded.length = std::sqrt(coded.length);
  coded.norm = std::sqrt(coded.norm);
  coded.error = kDeviations * std::sqrt(worst);
  return coded;
}

void CodePlanes::decode(const unsigned char* from, float scale, float* out) const noexcept {
  std::size_t piece = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    unsigned code = 0;
    for (; piece < piece_ends_[i]; ++piece) {
      const Piece p = pieces_[piece];
      code |= ((static_cast<unsigned>(from[p.byte]) >> p.low) & ((1u << p.width) - 1)) << p.place;
    }
    out[i] = scale * steps_[i] * (2 * static_cast<float>(code) - most_[i]);
  }
}

void CodePlanes::scale_query(const float* numbers, float* out) const noexcept {
  for (std::size_t i = 0; i < size(); ++i) out[i] = numbers[i] * steps_[i];
}

std::int32_t CodePlanes::spread_query(const signed char* codes, signed char* out) const noexcept {
  std::uint32_t sum = 0;  // may wrap, as the sums that it is taken from
  for (std::size_t i = 0; i < size(); ++i) {
    sum += static_cast<std::uint32_t>(static_cast<std::int32_t>(codes[i]) * ((1 << bits_[i]) - 1));
  }
  for (std::size_t p = 0; p < order_.size(); ++p) out[p] = order_[p] == kNone ? static_cast<signed char>(0) : codes[order_[p]];
  return static_cast<std::int32_t>(sum);
}

double CodePlanes::reach_of_rounding(const float* numbers, const signed char* codes, double scale) const noexcept {
  double worst = 0;
  for (std::size_t first = 0, i = 0; first < size(); first = i) {
    double squared = 0;
    for (; i < size() && bits_[i] == bits_[first]; ++i) {
      const double wrong = numbers[i] - scale * codes[i];
      squared += wrong * wrong;
    }
    worst = std::max(worst, squared / static_cast<double>(i - first));
  }
  return kDeviations * std::sqrt(worst);
}

}  // namespace segue
