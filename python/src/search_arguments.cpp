#include "search_arguments.hpp"

#include "arguments.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "immortal.hpp"
#include "segue/catalog.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

PyObject* as_mask = nullptr;
PyObject* as_exclude = nullptr;
PyObject* record_array = nullptr;

bool given(py::handle value) noexcept { return value && !value.is_none(); }

// Of the index's catalog.
IdSet select(const Index& index, py::handle filter) {
  const std::shared_ptr<Catalog> catalog = without_gil([&] { return index.catalog(); });
  if (catalog == nullptr) {
    raise_invalid("filter is an expression, and the index has no catalog to look its columns up in; set index.catalog");
  }
  if (py::isinstance<py::str>(filter)) {
    const auto text = filter.cast<std::string>();
    return take(without_gil([&] { return catalog->select(text); }));
  }
  const auto& expression = filter.cast<const Expression&>();
  return take(without_gil([&] { return catalog->select(expression); }));
}

}  // namespace

void init_search_arguments() {
  py::module_ converters = py::module_::import("segue._arrays");
  as_mask = immortal(converters, "as_mask");
  as_exclude = immortal(converters, "as_exclude");
  record_array = immortal(py::module_::import("numpy"), "recarray");
}

SearchArguments::SearchArguments(const Index& index, const SearchKeywords& keywords, std::size_t queries) {
  if (given(keywords.recall)) options_.recall = to_recall(keywords.recall);
  if (given(keywords.ef)) options_.ef = to_size(keywords.ef, "ef", 1);
  if (given(keywords.nprobe)) options_.nprobe = to_size(keywords.nprobe, "nprobe", 1);
  if (given(keywords.filter)) set_filter(index, keywords.filter);
  if (given(keywords.exclude)) set_exclude(keywords.exclude, queries);
  if (given(keywords.deadline_us)) options_.deadline_us = std::int64_t(to_size(keywords.deadline_us, "deadline_us", 1));
  if (given(keywords.threads)) options_.threads = to_threads(keywords.threads);
  if (given(keywords.stats) && to_bool(keywords.stats, "stats")) set_stats(queries);
}

void SearchArguments::set_filter(const Index& index, py::handle filter) {
  if (py::isinstance<IdSet>(filter)) {
    options_.filter = filter.cast<const IdSet*>();
    return;
  }
  if (py::isinstance<Expression>(filter) || py::isinstance<py::str>(filter)) {
    options_.filter = &made_.emplace(select(index, filter));
    return;
  }
  auto mask = py::reinterpret_borrow<py::object>(as_mask)(filter).cast<py::array>();
  options_.filter = &made_.emplace(IdSet::from_mask(
      {static_cast<const std::uint8_t*>(mask.data()), std::size_t(mask.size())}));
}

void SearchArguments::set_exclude(py::handle exclude, std::size_t queries) {
  if (is_id_array(exclude)) {
    excluded_ = to_ids(exclude, "exclude");
  } else {
    auto pair = py::reinterpret_borrow<py::object>(as_exclude)(exclude, queries).cast<py::tuple>();
    excluded_.owner = pair[0];
    excluded_.ids = to_ids(excluded_.owner, "exclude").ids;
    if (!pair[1].is_none()) {
      // The converter made it: n + 1 numbers of 8 bytes.
      offsets_ = pair[1];
      options_.exclude.offsets = {static_cast<const std::size_t*>(data_of(offsets_.ptr())), queries + 1};
    }
  }
  options_.exclude.ids = excluded_.ids;
}

void SearchArguments::set_stats(std::size_t queries) {
  stats_ = new_stats(queries);
  options_.stats = {static_cast<QueryStats*>(data_of(stats_.ptr())), queries};
}

py::object SearchArguments::stats(bool single) const {
  if (!stats_) return {};
  if (single) return stats_[py::int_(0)];
  return stats_.attr("view")(py::handle(record_array));
}

}  // namespace segue::python
