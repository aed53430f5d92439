#include "embed_tracks.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "gather_features.hpp"
#include "random.hpp"

namespace playlists {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// X = (1 + sum of weight * mean * pool) * P, by its products.
class SmoothedPlaylists {
 public:
  SmoothedPlaylists(const PlaylistLog& log, const Split& split)
      : playlists_(gather_playlists(log, split)), features_(gather_features(log)) {}

  Eigen::Index columns() const { return playlists_.cols(); }

  Matrix times(const Matrix& right) const {
    const Matrix plain = playlists_ * right;
    Matrix product = plain;
    for (const Feature& feature : features_) {
      const Matrix pooled = feature.pool * plain;
      product += feature.weight * (feature.mean * pooled);
    }
    return product;
  }

  Matrix transpose_times(const Matrix& right) const {
    Matrix smoothed = right;
    for (const Feature& feature : features_) {
      const Matrix pooled = feature.mean.transpose() * right;
      smoothed += feature.weight * (feature.pool.transpose() * pooled);
    }
    return playlists_.transpose() * smoothed;
  }

 private:
  SparseMatrix playlists_;
  std::vector<Feature> features_;
};

Matrix random_matrix(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed) {
  Matrix matrix(rows, cols);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) {
    const std::uint64_t bits = mix(mix(seed) + static_cast<std::uint64_t>(i)) >> 40;
    matrix.data()[i] = static_cast<float>(bits) * 0x1p-23F - 1;  // 24 bits: -1 to 1
  }
  return matrix;
}

Matrix orthonormal(const Matrix& matrix) {
  const Eigen::HouseholderQR<Matrix> qr(matrix);
  return qr.householderQ() * Matrix::Identity(matrix.rows(), matrix.cols());
}

// U S of the `dim` largest singular values of X, nearly.
Matrix truncated_svd(const SmoothedPlaylists& x, const EmbedOptions& options) {
  const auto dim = std::min(static_cast<Eigen::Index>(options.dim), x.columns());
  // A wider subspace than asked for; its last columns are the least exact and are cut off at the end.
  const auto width = std::min(dim + 16, x.columns());
  Matrix basis = orthonormal(random_matrix(x.columns(), width, options.seed));
  std::size_t products = 0;
  const auto advance = [&] {
    if (options.progress) options.progress(++products, 2 * options.power_steps + 1);
  };
  for (std::size_t i = 0; i < options.power_steps; ++i) {
    const Matrix image = x.times(basis);
    advance();
    basis = orthonormal(x.transpose_times(image));
    advance();
  }
  const Matrix image = x.times(basis);
  advance();
  // Rayleigh-Ritz: within the subspace, the exact decomposition. Eigenvalues come ascending.
  const Eigen::MatrixXf gram = image.transpose() * image;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> solver(gram);
  const Matrix rotation = solver.eigenvectors().rowwise().reverse().leftCols(dim);
  return image * rotation;
}

}  // namespace

Embedding embed_tracks(const PlaylistLog& log, const Split& split, const EmbedOptions& options) {
  const SmoothedPlaylists x(log, split);
  const Matrix all = truncated_svd(x, options);

  Embedding embedding;
  embedding.dim = static_cast<std::size_t>(all.cols());
  for (Eigen::Index song = 0; song < all.rows(); ++song) {
    if (all.row(song).squaredNorm() == 0) continue;
    embedding.songs.push_back(song);
    const float* row = all.data() + song * all.cols();
    embedding.vectors.insert(embedding.vectors.end(), row, row + all.cols());
  }
  return embedding;
}

std::vector<float> embed_playlists(const Split& split, const Embedding& embedding) {
  std::unordered_map<segue::Id, std::size_t> row_of;
  for (std::size_t row = 0; row < embedding.songs.size(); ++row) row_of.emplace(embedding.songs[row], row);

  const auto dim = static_cast<Eigen::Index>(embedding.dim);
  const Eigen::Map<const Matrix> vectors(embedding.vectors.data(), static_cast<Eigen::Index>(embedding.songs.size()),
                                         dim);
  Matrix queries = Matrix::Zero(static_cast<Eigen::Index>(split.seen.size()), dim);
  for (std::size_t list = 0; list < split.seen.size(); ++list) {
    for (segue::Id song : split.seen[list]) {
      const auto found = row_of.find(song);
      if (found == row_of.end()) continue;
      const auto vector = vectors.row(static_cast<Eigen::Index>(found->second));
      queries.row(static_cast<Eigen::Index>(list)) += vector / std::sqrt(vector.norm());
    }
  }
  return {queries.data(), queries.data() + queries.size()};
}

}  // namespace playlists
