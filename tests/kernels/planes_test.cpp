// scan_planes: pieces of codes of every width and place, against sums of whole codes.

#include "support.hpp"

namespace segue::kernels::test {
namespace {

using PlanesTest = EverySet;
SEGUE_FOR_EVERY_SET(PlanesTest);

// Coordinates of `bits` bits each, so many of them.
struct Part {
  unsigned bits;
  std::size_t coordinates;
};

struct Pieces {
  unsigned width, place;
};

// As kernel_table.hpp has them: 7 = 4 + 2 + 1, the high ones first.
std::vector<Pieces> pieces_of(unsigned bits) {
  std::vector<Pieces> out;
  unsigned left = bits;
  while (left != 0) {
    const unsigned width = left >= 4 ? 4 : left >= 2 ? 2 : 1;
    left -= width;
    out.push_back({width, left});
  }
  return out;
}

struct Planes {
  std::vector<unsigned> bits;             // by coordinate
  std::vector<std::vector<unsigned>> of;  // codes of each row
  std::vector<BlockPlane> planes;
  std::vector<std::vector<std::size_t>> members;  // of each plane: coordinates
  std::vector<unsigned> places;
  std::size_t words = 0, blocks = 0;
  std::vector<unsigned char> codes;  // one byte more in front: no alignment is assumed
  std::vector<float> scales, biases;
};

Planes random_planes(const std::vector<Part>& parts, std::size_t blocks, bool biased, bool extremes) {
  std::mt19937 random(kSeed + static_cast<unsigned>(blocks));
  Planes p;
  p.blocks = blocks;
  for (const Part& part : parts) p.bits.insert(p.bits.end(), part.coordinates, part.bits);
  for (const unsigned place : {4u, 3u, 2u, 1u, 0u}) {
    for (const unsigned width : {4u, 2u, 1u}) {
      std::vector<std::size_t> members;
      for (std::size_t i = 0; i < p.bits.size(); ++i) {
        for (const Pieces piece : pieces_of(p.bits[i])) {
          if (piece.width == width && piece.place == place) members.push_back(i);
        }
      }
      if (members.empty()) continue;
      const std::size_t a_word = 4 * (8 / width), words = (members.size() + a_word - 1) / a_word;
      p.planes.push_back({width, static_cast<std::uint32_t>(words), 0});
      p.places.push_back(place);
      p.members.push_back(members);
      p.words += words;
    }
  }
  for (std::size_t i = 0; i + 1 < p.planes.size(); ++i) p.planes[i].shift = p.places[i] - p.places[i + 1];
  // What lies in a word that a plane does not fill is nobody's: queries are zero there.
  p.codes.resize(1 + blocks * p.words * kBlockGroupBytes);
  for (unsigned char& c : p.codes) c = static_cast<unsigned char>(random());
  for (std::size_t r = 0; r < blocks * kBlockRows; ++r) {
    std::vector<unsigned> row;
    for (const unsigned bits : p.bits) row.push_back(extremes ? (1u << bits) - 1 : static_cast<unsigned>(random()) % (1u << bits));
    std::size_t word = r / kBlockRows * p.words;
    for (std::size_t plane = 0; plane < p.planes.size(); ++plane) {
      const unsigned width = p.planes[plane].bits, groups = 8 / width;
      for (std::size_t m = 0; m < p.members[plane].size(); ++m) {
        const unsigned piece = (row[p.members[plane][m]] >> p.places[plane]) & ((1u << width) - 1);
        const std::size_t at = (word + m / 4 / groups) * kBlockGroupBytes + r % kBlockRows * 4 + m % 4;
        const unsigned low = static_cast<unsigned>(m / 4) % groups * width, mask = ((1u << width) - 1) << low;
        p.codes[1 + at] = static_cast<unsigned char>((p.codes[1 + at] & ~mask) | piece << low);
      }
      word += p.planes[plane].words;
    }
    p.of.push_back(row);
  }
  p.scales = random_floats(blocks * kBlockRows, 41, 0.001f, 0.01f);
  if (biased) p.biases = random_floats(blocks * kBlockRows, 42, 0.0f, 10.0f);
  return p;
}

void check(const KernelTable& table, const std::vector<Part>& parts, std::size_t blocks, std::size_t nq, bool biased, float share,
           bool extremes = false) {
  const Planes p = random_planes(parts, blocks, biased, extremes);
  const std::size_t rows = blocks * kBlockRows;
  std::mt19937 random(kSeed + static_cast<unsigned>(nq));
  constexpr int most = 127;
  std::vector<std::vector<int>> numbers(nq);
  std::vector<std::vector<signed char>> codes(nq);
  std::vector<std::vector<double>> values(nq, std::vector<double>(rows)), magnitudes = values;
  std::vector<BlockQuery> queries(nq);
  for (std::size_t q = 0; q < nq; ++q) {
    std::int64_t sum = 0;
    for (const unsigned bits : p.bits) {
      const int any = static_cast<int>(random() % static_cast<unsigned>(2 * most + 1)) - most;
      numbers[q].push_back(extremes || q % 3 == 1 ? most : q % 3 == 2 ? -most : any);
      sum += static_cast<std::int64_t>((1u << bits) - 1) * numbers[q].back();
    }
    for (std::size_t plane = 0; plane < p.planes.size(); ++plane) {
      const std::size_t first = codes[q].size();
      for (const std::size_t i : p.members[plane]) codes[q].push_back(static_cast<signed char>(numbers[q][i]));
      codes[q].resize(first + p.planes[plane].words * 4 * (8 / p.planes[plane].bits), 0);
    }
    queries[q] = {codes[q].data(), static_cast<std::int32_t>(sum), biased ? 0.7f : 0.0f, 0.0f};
    for (std::size_t r = 0; r < rows; ++r) {
      std::int64_t product = 0;
      for (std::size_t i = 0; i < p.bits.size(); ++i) {
        product += (2 * static_cast<std::int64_t>(p.of[r][i]) - ((1 << p.bits[i]) - 1)) * numbers[q][i];
      }
      const double scaled = static_cast<double>(product) * static_cast<double>(p.scales[r]);
      const double bias = biased ? static_cast<double>(p.biases[r]) * 0.7f : 0.0;
      values[q][r] = scaled - bias;
      magnitudes[q][r] = std::fabs(scaled) + std::fabs(bias);
    }
    std::vector<double> sorted = values[q];
    std::sort(sorted.begin(), sorted.end());
    const auto at = static_cast<std::size_t>(share * static_cast<float>(rows));
    queries[q].limit = rows == 0 ? 0.0f : at < rows ? static_cast<float>(sorted[at]) : 3e38f;
  }
  std::vector<std::uint32_t> positions(nq * rows + 1);
  std::vector<float> out(nq * rows + 1);
  std::vector<BlockHits> hits(nq);
  for (std::size_t q = 0; q < nq; ++q) hits[q] = {77, positions.data() + q * rows, out.data() + q * rows};
  table.scan_planes(queries.data(), nq, p.codes.data() + 1, p.planes.data(), p.planes.size(), p.words, p.scales.data(),
                    biased ? p.biases.data() : nullptr, blocks, hits.data());
  for (std::size_t q = 0; q < nq; ++q) {
    std::size_t hit = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      const double tolerance = 4 * kUnit * magnitudes[q][r];
      const bool is_hit = hit < hits[q].count && hits[q].positions[hit] == r;
      if (values[q][r] >= static_cast<double>(queries[q].limit) + tolerance) {
        ASSERT_TRUE(is_hit) << table.name << ": row " << r << " was missed by query " << q << " of " << nq;
      }
      if (!is_hit) continue;
      ASSERT_GE(values[q][r], static_cast<double>(queries[q].limit) - tolerance) << "row " << r << " should not have passed";
      ASSERT_NEAR(hits[q].values[hit], values[q][r], tolerance) << table.name << ": row " << r << ", query " << q;
      ++hit;
    }
    ASSERT_EQ(hit, hits[q].count) << "hits out of order, or twice";
  }
}

TEST_P(PlanesTest, EveryNumberOfBits) {
  for (unsigned bits = 1; bits <= 8; ++bits) {
    for (const std::size_t coordinates : {1u, 3u, 4u, 7u, 8u, 9u, 31u, 32u, 33u, 64u, 100u, 784u}) {
      check(table(), {{bits, coordinates}}, 5, 5, coordinates % 2 == 1, 0.9f);
    }
  }
}

TEST_P(PlanesTest, BitsThatDiffer) {
  check(table(), {{8, 16}, {7, 24}, {6, 8}, {5, 40}, {4, 8}, {3, 16}, {2, 24}, {1, 72}}, 9, 7, true, 0.8f);
  check(table(), {{8, 48}, {2, 48}, {1, 32}}, 6, 4, false, 0.8f);
  check(table(), {{7, 8}, {1, 8}}, 3, 3, false, 0.5f);
  check(table(), {{6, 24}, {5, 16}, {4, 8}}, 4, 2, true, 0.5f);
}

TEST_P(PlanesTest, EveryCountOfBlocksAndQueries) {
  for (const std::size_t n : {0u, 1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 33u}) {
    for (const std::size_t nq : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u}) {
      check(table(), {{3, 24}, {1, 8}}, n, nq, nq % 2 == 0, 0.8f);
    }
  }
}

TEST_P(PlanesTest, AllPassAndNonePasses) {
  check(table(), {{4, 40}}, 11, 5, false, 0.0f);
  check(table(), {{4, 40}}, 11, 5, true, 0.0f);
  check(table(), {{4, 40}}, 11, 5, false, 1.0f);
}

// The longest rows of the largest codes: the sums on the way wrap, what they come to does not.
TEST_P(PlanesTest, LongestRows) {
  check(table(), {{8, 65536}}, 1, 2, false, 0.5f, true);
  check(table(), {{1, 65536}}, 2, 3, false, 0.5f);
}

}  // namespace
}  // namespace segue::kernels::test
