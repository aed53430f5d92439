// The compiled half of segue/candidates/: sources, and a generator that takes requests as tuples.

#include <exception>
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

// What as_numbers of segue/_arrays.py made; None: none.
std::vector<float> to_numbers(const py::object& values) {
  if (values.is_none()) return {};
  const auto array = values.cast<py::array_t<float, py::array::c_style>>();
  return {array.data(), array.data() + array.size()};
}

// One request, and what it borrows from.
struct Asked {
  explicit Asked(py::tuple request_parts) : parts(std::move(request_parts)) {
    request.k = to_size(parts[1], "k", 1);
    if (!is_none(2)) {
      vectors = to_matrix(parts[2], "vectors");
      request.vectors = vectors.view;
    }
    weights = to_numbers(parts[3]);
    request.weights = weights;
    request.combine = python::take(parse_combine(to_string(parts[4], "combine")));
    if (!is_none(5)) {
      seeds = to_ids(parts[5], "seeds");
      request.seeds = seeds.ids;
    }
    request.seed_half_life = to_double(parts[6], "seed_half_life");
    request.exclude_seeds = to_bool(parts[7], "exclude_seeds");
    if (!is_none(8)) request.filter = parts[8].cast<const Expression&>();
    if (!is_none(9)) request.allowed = parts[9].cast<const IdSet*>();
    if (!is_none(10)) {
      exclude = to_ids(parts[10], "exclude");
      request.exclude = exclude.ids;
    }
    if (!is_none(11)) request.deadline_us = static_cast<std::int64_t>(to_size(parts[11], "deadline_us", 1));
  }
  Asked(const Asked&) = delete;

  bool is_none(std::size_t part) const { return py::object(parts[part]).is_none(); }

  py::tuple parts;  // the first is the Request itself
  FloatInput vectors;
  std::vector<float> weights;
  IdInput seeds, exclude;
  Request request;
  std::exception_ptr interrupted;  // what is no failure of a source: KeyboardInterrupt, SystemExit
};

// Those under way, as callables are to see what Python asked for. Guarded by the GIL.
class UnderWay {
 public:
  UnderWay(const std::vector<std::unique_ptr<Asked>>& asked, const std::vector<Request>& requests) : requests_(requests) {
    for (std::size_t i = 0; i < requests.size(); ++i) all()[&requests[i]] = asked[i].get();
  }
  ~UnderWay() {
    for (const Request& request : requests_) all().erase(&request);
  }
  UnderWay(const UnderWay&) = delete;

  static Asked& at(const Request& request) { return *all().at(&request); }

 private:
  static std::map<const Request*, Asked*>& all() {
    static auto* requests = new std::map<const Request*, Asked*>;
    return *requests;
  }
  const std::vector<Request>& requests_;
};

// `propose` of segue/candidates/sources.py gives (ids, scores or None), or a str: why it failed.
SourcePtr make_callable(const py::object& propose) {
  return callable_source([held = hold(propose)](const Wanted& wanted, Proposals& out) -> Status {
    const AcquireGil acquired;
    Asked& asked = UnderWay::at(wanted.request);
    try {
      const py::object given = (*held)(asked.parts[0], wanted.n);
      if (py::isinstance<py::str>(given)) return {StatusCode::kUnsupported, given.cast<std::string>()};
      const auto pair = given.cast<py::tuple>();
      const IdInput ids = to_ids(pair[0], "ids");
      out.ids.assign(ids.ids.begin(), ids.ids.end());
      out.scores = to_numbers(pair[1]);
      return {};
    } catch (const py::error_already_set& error) {
      if (error.matches(PyExc_Exception)) return {StatusCode::kUnsupported, error.what()};
      asked.interrupted = std::current_exception();
      return {StatusCode::kCancelled, "it was interrupted"};
    }
  });
}

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
  Generator(const py::list& sources, const py::object& blend, const std::shared_ptr<Catalog>& catalog, const py::list& caps,
            const py::list& minimums, const py::object& mmr, const py::object& freshness, const py::object& popularity) {
    GeneratorOptions options;
    for (const py::handle each : sources) {
      const auto parts = each.cast<py::tuple>();
      options.sources.push_back({to_string(parts[0], "name"), parts[1].cast<std::shared_ptr<Source>>(),
                                 to_float(parts[2], "weight"), to_float(parts[3], "share")});
    }
    options.blend = take(parse_blend(to_string(blend, "blend")));
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
      options.freshness = Freshness{to_string(parts[0], "column"), to_double(parts[1], "half_life_days"),
                                    to_double(parts[2], "weight"), parts[3].cast<std::int64_t>()};
    }
    if (!popularity.is_none()) {
      const auto parts = popularity.cast<py::tuple>();
      options.popularity = Popularity{to_string(parts[0], "column"), to_double(parts[1], "strength")};
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
    for (const auto& each : asked) {
      if (each->interrupted) std::rethrow_exception(each->interrupted);
    }
    for (Candidates& each : found) out.append(to_python(std::move(each)));
    return out;
  }

 private:
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
      .def(py::init<const py::list&, const py::object&, const std::shared_ptr<Catalog>&, const py::list&, const py::list&,
                    const py::object&, const py::object&, const py::object&>(),
           arg("sources"), arg("blend"), arg("catalog"), arg("caps"), arg("minimums"), arg("mmr"), arg("freshness"),
           arg("popularity"))
      .def("generate", &Generator::generate, arg("requests"), arg("threads"));
}

}  // namespace segue::python
