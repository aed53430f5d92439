#include "segue/core/layered_graph.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace segue {
namespace {

constexpr std::size_t kDegree = 16;
constexpr std::uint32_t kVertices = 200;

// Every vertex links to as many of those after it, in a ring, as a list holds; so it does on its upper levels.
LayeredGraph ring() {
  LayeredGraph graph(kDegree, 7);
  graph.resize(kVertices);
  for (std::uint32_t v = 0; v < kVertices; ++v) graph.open(v);
  for (std::uint32_t v = 0; v < kVertices; ++v) {
    for (std::size_t level = 0; level <= graph.level(v); ++level) {
      std::vector<std::uint32_t> links;
      for (std::uint32_t step = 1; step < kVertices && links.size() < graph.degree(level); ++step) {
        const std::uint32_t to = (v + step) % kVertices;
        if (graph.level(to) >= level) links.push_back(to);
      }
      graph.set_links(v, level, links);
    }
  }
  graph.set_entry(0);
  return graph;
}

std::uint32_t vertex_of_level(const LayeredGraph& graph, std::size_t level) {
  for (std::uint32_t v = 0; v < kVertices; ++v) {
    if (graph.level(v) == level) return v;
  }
  ADD_FAILURE() << "no vertex of level " << level;
  return 0;
}

void expect_refused(const LayeredGraph& graph, const std::string& part) {
  const Status status = graph.validate();
  EXPECT_EQ(status.code(), StatusCode::kCorruptFile);
  EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

TEST(LayeredGraph, AWholeGraphIsValid) {
  EXPECT_TRUE(ring().validate().ok()) << ring().validate().message();
  EXPECT_TRUE(LayeredGraph(kDegree, 7).validate().ok());
}

TEST(LayeredGraph, ALinkThatIsThereTwiceIsFoundWhereverTheTwoStand) {
  LayeredGraph graph = ring();
  const std::span<std::uint32_t> list = graph.places(5, 0);
  for (std::size_t first = 0; first < list.size(); ++first) {
    for (std::size_t second = first + 1; second < list.size(); ++second) {
      const std::uint32_t before = list[second];
      list[second] = list[first];
      expect_refused(graph, "vertex 5 on level 0: a link is there twice");
      list[second] = before;
    }
  }
  EXPECT_TRUE(graph.validate().ok());
}

TEST(LayeredGraph, ShortListsMayHoldNothingTwiceEither) {
  LayeredGraph graph = ring();
  for (const std::vector<std::uint32_t>& links : {std::vector<std::uint32_t>{}, {9}, {9, 8}, {9, 8, 7}}) {
    graph.set_links(5, 0, links);
    EXPECT_TRUE(graph.validate().ok()) << links.size();
  }
  graph.set_links(5, 0, std::vector<std::uint32_t>{9, 9});
  expect_refused(graph, "a link is there twice");
}

TEST(LayeredGraph, UpperLevelsAreCheckedLikeTheLowest) {
  LayeredGraph graph = ring();
  const std::uint32_t high = vertex_of_level(graph, 1);
  const std::uint32_t low = vertex_of_level(graph, 0);
  const std::uint32_t before = graph.places(high, 1)[0];
  graph.places(high, 1)[0] = low;
  expect_refused(graph, "links to " + std::to_string(low) + ", which is not on this level");
  graph.places(high, 1)[0] = graph.places(high, 1)[1];
  expect_refused(graph, "on level 1: a link is there twice");
  graph.places(high, 1)[0] = before;
  EXPECT_TRUE(graph.validate().ok());
}

TEST(LayeredGraph, AVertexDoesNotLinkToItselfNorBehindTheEndOfItsList) {
  LayeredGraph graph = ring();
  graph.places(5, 0)[3] = 5;
  expect_refused(graph, "links to itself");
  graph.places(5, 0)[3] = kNoVertex;
  expect_refused(graph, "which is out of range");
}

}  // namespace
}  // namespace segue
