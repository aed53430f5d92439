#include "find_interests.hpp"

#include <Eigen/Dense>

namespace playlists {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const Matrix> view(const std::vector<float>& rows, std::size_t dim) {
  return {rows.data(), static_cast<Eigen::Index>(rows.size() / dim), static_cast<Eigen::Index>(dim)};
}

}  // namespace

std::vector<float> mean_row(const std::vector<float>& rows, std::size_t dim) {
  const Eigen::RowVectorXf mean = view(rows, dim).colwise().mean();
  return {mean.data(), mean.data() + mean.size()};
}

std::vector<float> find_interests(const std::vector<float>& rows, std::size_t dim) {
  const auto matrix = view(rows, dim);
  const Eigen::RowVectorXf mean = matrix.colwise().mean();
  const Matrix centred = matrix.rowwise() - mean;
  const Eigen::MatrixXf spread = centred.transpose() * centred;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> solver(spread);  // eigenvalues come ascending
  const Eigen::VectorXf place = centred * solver.eigenvectors().rightCols<1>();

  std::vector<float> halves[2];
  for (Eigen::Index i = 0; i < place.size(); ++i) {
    std::vector<float>& half = halves[place[i] > 0 ? 0 : 1];
    half.insert(half.end(), matrix.row(i).data(), matrix.row(i).data() + dim);
  }
  if (halves[1].size() > halves[0].size()) halves[0].swap(halves[1]);
  std::vector<float> interests = mean_row(halves[0], dim);
  if (!halves[1].empty()) {
    const std::vector<float> second = mean_row(halves[1], dim);
    interests.insert(interests.end(), second.begin(), second.end());
  }
  return interests;
}

}  // namespace playlists
