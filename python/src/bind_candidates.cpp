// The compiled half of segue/candidates.py: sources, and a generator that takes requests as tuples.

#include <pybind11/stl.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "arrays.hpp"
#include "binding.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "segue/candidates/generator.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

using SourcePtr = std::shared_ptr<const Source>;

// Keeps a Python object for C++, which may let go of it without the GIL.
std::shared_ptr<py::object> hold(const py::object& object) {
  return {new py::object(object), [](py::object* held) {
            const AcquireGil acquired;
            delete held;
          }};
}

std::shared_ptr<const Index> share(const py::object& index) {
  auto held = hold(index);
  return {held, &index_of(index)};
}

NearestOptions to_options(const py::object& ef, const py::object& nprobe, const py::object& recall) {
  NearestOptions options;
  if (!ef.is_none()) options.ef = to_size(ef, "ef", 1);
  if (!nprobe.is_none()) options.nprobe = to_size(nprobe, "nprobe", 1);
  if (!recall.is_none()) options.recall = to_recall(recall);
  return options;
}

std::vector<float> to_numbers(const py::object& values) {
  if (values.is_none()) return {};
  const auto array = values.cast<py::array_t<float, py::array::c_style | py::array::forcecast>>();
  return {array.data(), array.data() + array.size()};
}

// The Python request of each that is under way. Guarded by the GIL.
std::map<const Request*, py::handle>& requests_under_way() {
  static auto* all = new std::map<const Request*, py::handle>;
  return *all;
}

SourcePtr make_callable(const py::object& function) {
  const auto held = hold(function);
  return callable_source([held](const Wanted& wanted, Proposals& out) -> Status {
    const AcquireGil acquired;
    try {
      const auto request = requests_under_way().find(&wanted.request);
      const py::object asked = request == requests_under_way().end() ? py::none() : py::reinterpret_borrow<py::object>(request->second);
      py::object given = (*held)(asked, wanted.n);
      py::object scores = py::none();
      if (py::isinstance<py::tuple>(given) && py::len(given) == 2) {
        scores = given[py::int_(1)];
        given = given[py::int_(0)];
      }
      const IdInput ids = to_ids(given, "ids of a source");
      out.ids.assign(ids.ids.begin(), ids.ids.end());
      out.scores = to_numbers(scores);
      return {};
    } catch (py::error_already_set& error) {
      return {StatusCode::kUnsupported, std::string("it raised ") + error.what()};
    }
  });
}

// One request, and what it borrows from.
struct Asked {
  explicit Asked(const py::tuple& parts) : object(parts[0]) {
    request.k = to_size(parts[1], "k", 1);
    if (!parts[2].is_none()) {
      vectors = to_matrix(parts[2], "vectors");
      request.vectors = vectors.view;
    }
    weights = to_numbers(parts[3]);
    request.weights = weights;
    request.combine = python::take(parse_combine(to_string(parts[4], "combine")));
    if (!parts[5].is_none()) {
      seeds = to_ids(parts[5], "seeds");
      request.seeds = seeds.ids;
    }
    request.seed_half_life = parts[6].cast<double>();
    request.exclude_seeds = to_bool(parts[7], "exclude_seeds");
    if (!parts[8].is_none()) request.filter = parts[8].cast<const Expression&>();
    if (!parts[9].is_none()) request.allowed = &allowed.emplace(parts[9].cast<const IdSet&>());
    if (!parts[10].is_none()) {
      exclude = to_ids(parts[10], "exclude");
      request.exclude = exclude.ids;
    }
    if (!parts[11].is_none()) request.deadline_us = static_cast<std::int64_t>(to_size(parts[11], "deadline_us", 1));
  }
  Asked(const Asked&) = delete;

  py::object object;
  FloatInput vectors;
  std::vector<float> weights;
  IdInput seeds, exclude;
  std::optional<IdSet> allowed;
  Request request;
};

py::tuple to_python(Candidates&& found) {
  py::list reports;
  for (const SourceReport& report : found.reports) {
    reports.append(py::make_tuple(report.status.ok() ? py::object(py::none()) : py::object(py::str(report.status.message())),
                                  report.proposed, report.microseconds, report.cut));
  }
  return py::make_tuple(own(std::move(found.ids)), own(std::move(found.scores)), own(std::move(found.offsets)),
                        own(std::move(found.sources)), own(std::move(found.ranks)), own(std::move(found.source_scores)),
                        segue::to_string(found.ended_by), found.reason, reports);
}

class Generator {
 public:
  Generator(const py::list& sources, const std::string& blend, const std::shared_ptr<Catalog>& catalog, const py::list& caps,
            const py::list& minimums, const py::object& mmr, const py::object& freshness, const py::object& popularity) {
    GeneratorOptions options;
    for (const py::handle each : sources) {
      const auto parts = each.cast<py::tuple>();
      options.sources.push_back({to_string(parts[0], "name"), parts[1].cast<std::shared_ptr<Source>>(),
                                 to_float(parts[2], "weight"), to_float(parts[3], "share")});
    }
    options.blend = take(parse_blend(blend));
    options.catalog = catalog;
    for (const py::handle each : caps) {
      const auto parts = each.cast<py::tuple>();
      options.caps.push_back({to_string(parts[0], "column"), to_size(parts[1], "at_most")});
    }
    for (const py::handle each : minimums) {
      const auto parts = each.cast<py::tuple>();
      options.minimums.push_back({parts[0].cast<const Expression&>(), to_size(parts[1], "at_least")});
    }
    if (!mmr.is_none()) {
      const auto parts = mmr.cast<py::tuple>();
      options.mmr = Mmr{share(parts[0]), to_float(parts[1], "lambda_"), to_size(parts[2], "pool")};
    }
    if (!freshness.is_none()) {
      const auto parts = freshness.cast<py::tuple>();
      options.freshness = Freshness{to_string(parts[0], "column"), parts[1].cast<double>(), parts[2].cast<double>(),
                                    parts[3].cast<std::int64_t>()};
    }
    if (!popularity.is_none()) {
      const auto parts = popularity.cast<py::tuple>();
      options.popularity = Popularity{to_string(parts[0], "column"), parts[1].cast<double>()};
    }
    generator_ = take(without_gil([&] { return CandidateGenerator::create(std::move(options)); }));
  }

  py::list generate(const py::list& requests, const py::object& threads) const {
    std::vector<std::unique_ptr<Asked>> asked;
    std::vector<Request> all;
    for (const py::handle each : requests) {
      asked.push_back(std::make_unique<Asked>(each.cast<py::tuple>()));
      all.push_back(asked.back()->request);
    }
    const int workers = to_threads(threads);
    const UnderWay under_way(asked, all);
    std::vector<Candidates> found = take(without_gil([&]() -> Result<std::vector<Candidates>> {
      if (all.size() != 1) return generator_->generate(all, workers);
      Result<Candidates> one = generator_->generate(all[0]);
      if (!one.ok()) return one.status();
      std::vector<Candidates> list;
      list.push_back(std::move(*one));
      return list;
    }));
    py::list out;
    for (Candidates& each : found) out.append(to_python(std::move(each)));
    return out;
  }

 private:
  struct UnderWay {
    UnderWay(const std::vector<std::unique_ptr<Asked>>& asked, const std::vector<Request>& requests) : all(requests) {
      for (std::size_t i = 0; i < all.size(); ++i) requests_under_way()[&all[i]] = asked[i]->object;
    }
    ~UnderWay() {
      for (const Request& request : all) requests_under_way().erase(&request);
    }
    const std::vector<Request>& all;
  };

  std::shared_ptr<const CandidateGenerator> generator_;
};

std::shared_ptr<Source> mutable_source(SourcePtr source) { return std::const_pointer_cast<Source>(std::move(source)); }

}  // namespace

void bind_candidates(py::module_& module) {
  using py::arg;
  py::class_<Source, std::shared_ptr<Source>>(module, "_Source");
  module.def(
      "_nearest_to_vectors",
      [](const py::object& index, const py::object& ef, const py::object& nprobe, const py::object& recall) {
        return mutable_source(nearest_to_vectors(share(index), to_options(ef, nprobe, recall)));
      },
      arg("index"), arg("ef"), arg("nprobe"), arg("recall"));
  module.def(
      "_nearest_to_seeds",
      [](const py::object& index, const py::object& ef, const py::object& nprobe, const py::object& recall) {
        return mutable_source(nearest_to_seeds(share(index), to_options(ef, nprobe, recall)));
      },
      arg("index"), arg("ef"), arg("nprobe"), arg("recall"));
  module.def(
      "_ranked_list",
      [](const py::object& ids, const py::object& scores) {
        const IdInput input = to_ids(ids, "ids");
        return mutable_source(take(ranked_list({input.ids.begin(), input.ids.end()}, to_numbers(scores))));
      },
      arg("ids"), arg("scores"));
  module.def("_callable_source", [](const py::object& function) { return mutable_source(make_callable(function)); }, arg("function"));
  py::class_<Generator>(module, "_Generator")
      .def(py::init<const py::list&, const std::string&, const std::shared_ptr<Catalog>&, const py::list&, const py::list&,
                    const py::object&, const py::object&, const py::object&>(),
           arg("sources"), arg("blend"), arg("catalog"), arg("caps"), arg("minimums"), arg("mmr"), arg("freshness"),
           arg("popularity"))
      .def("generate", &Generator::generate, arg("requests"), arg("threads"));
}

}  // namespace segue::python
