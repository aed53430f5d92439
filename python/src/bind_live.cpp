// LiveIndex.

#include <pybind11/stl.h>

#include "arguments.hpp"
#include "binding.hpp"
#include "docs_live.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "segue/live/live_index.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

LiveOptions to_options(const py::object& durability, const py::object& interval_ms, const py::object& snapshot_bytes,
                       const py::object& snapshots, const py::object& read_only, const py::object& threads) {
  LiveOptions options;
  options.durability = python::take(parse_durability(to_string(durability, "durability")));
  options.interval_ms = static_cast<int>(to_size(interval_ms, "interval_ms", 1, 3'600'000));
  if (!snapshot_bytes.is_none()) options.snapshot_bytes = to_size(snapshot_bytes, "snapshot_bytes", 1);
  options.snapshots = to_bool(snapshots, "snapshots");
  options.read_only = to_bool(read_only, "read_only");
  options.threads = to_threads(threads);
  return options;
}

template <class T>
T take_live(Result<T>&& result) {
  if (!result.ok()) raise_file(result.status());
  return *std::move(result);
}

std::unique_ptr<LiveIndex> make_live(const py::object& directory, const py::object& index, const py::object& durability,
                                     const py::object& interval_ms, const py::object& snapshot_bytes,
                                     const py::object& snapshots, const py::object& read_only,
                                     const py::object& threads) {
  const std::string path = to_path(directory);
  const LiveOptions options = to_options(durability, interval_ms, snapshot_bytes, snapshots, read_only, threads);
  const Index* given = index.is_none() ? nullptr : &index_of(index);
  return take_live(without_gil([&] {
    return given == nullptr ? LiveIndex::open(path, options) : LiveIndex::create(path, *given, options);
  }));
}

// What waits for disks and for other threads does so without the GIL.
void call(LiveIndex& live, Status (LiveIndex::*what)()) {
  const Status status = without_gil([&] { return (live.*what)(); });
  if (!status.ok()) raise_file(status);
}

py::dict open_report(const LiveIndex& live) {
  const OpenReport& report = live.open_report();
  using py::arg;
  return py::dict(arg("snapshot") = report.snapshot, arg("snapshot_bytes") = report.snapshot_bytes,
                  arg("records") = report.records, arg("vectors") = report.vectors,
                  arg("journal_bytes") = report.journal_bytes, arg("cut_bytes") = report.cut_bytes,
                  arg("cut_file") = report.cut_file, arg("cut_offset") = report.cut_offset,
                  arg("notes") = report.notes, arg("load_seconds") = report.load_seconds,
                  arg("replay_seconds") = report.replay_seconds);
}

py::dict live_stats(const LiveIndex& live) {
  const LiveStats stats = without_gil([&] { return live.live_stats(); });
  using py::arg;
  return py::dict(arg("sequence") = stats.sequence, arg("durable") = stats.durable,
                  arg("journal_bytes") = stats.journal_bytes, arg("syncs") = stats.syncs,
                  arg("snapshot") = stats.snapshot, arg("snapshot_bytes") = stats.snapshot_bytes,
                  arg("snapshot_age") = stats.snapshot_age, arg("snapshots") = stats.snapshots,
                  arg("snapshot_pause") = stats.snapshot_pause, arg("snapshot_seconds") = stats.snapshot_seconds,
                  arg("snapshot_error") = stats.snapshot_error);
}

}  // namespace

void bind_live(py::module_& module) {
  using py::arg;
  py::class_<LiveIndex, Index, std::shared_ptr<LiveIndex>>(module, "LiveIndex", docs::kLiveIndex)
      .def(py::init(&make_live), arg("directory"), arg("index") = py::none(), py::kw_only(),
           arg("durability") = "batch", arg("interval_ms") = 50, arg("snapshot_bytes") = py::none(),
           arg("snapshots") = true, arg("read_only") = false, arg("threads") = py::none(), docs::kLiveIndexInit)
      .def_static(
          "exists",
          [](const py::object& directory) {
            const std::string path = to_path(directory);
            return take_live(without_gil([&] { return LiveIndex::exists(path); }));
          },
          arg("directory"), docs::kLiveExists)
      .def_static(
          "salvage",
          [](const py::object& directory, const py::object& to) {
            const std::string from = to_path(directory);
            const std::string path = to_path(to);
            const SalvageReport report = take_live(without_gil([&] { return LiveIndex::salvage(from, path); }));
            return py::dict(arg("snapshot") = report.snapshot, arg("records") = report.records,
                            arg("items") = report.items, arg("losses") = report.losses);
          },
          arg("directory"), arg("to"), docs::kLiveSalvage)
      .def(
          "replace",
          [](LiveIndex& live, const py::object& index) {
            const Index& fresh = index_of(index);
            check(without_gil([&] { return live.replace(fresh); }));
          },
          arg("index"), docs::kLiveReplace)
      .def("snapshot", [](LiveIndex& live) { call(live, &LiveIndex::snapshot); }, docs::kLiveSnapshot)
      .def("sync", [](LiveIndex& live) { call(live, &LiveIndex::sync); }, docs::kLiveSync)
      .def("close", [](LiveIndex& live) { call(live, &LiveIndex::close); }, docs::kLiveClose)
      .def("live_stats", &live_stats, docs::kLiveStats)
      .def_property_readonly("open_report", &open_report, docs::kLiveOpenReport)
      .def_property_readonly("directory", &LiveIndex::directory, docs::kLiveDirectory)
      .def_property_readonly(
          "durability", [](const LiveIndex& live) { return segue::to_string(live.options().durability); },
          docs::kLiveDurability)
      .def_property_readonly("read_only", [](const LiveIndex& live) { return live.options().read_only; },
                             docs::kLiveReadOnly)
      .def("__enter__", [](const py::object& self) { return self; }, "__enter__(self)\n--\n\n")
      .def(
          "__exit__", [](LiveIndex& live, const py::args&) { call(live, &LiveIndex::close); },
          "__exit__(self, *exception)\n--\n\nCloses it.");
}

}  // namespace segue::python
