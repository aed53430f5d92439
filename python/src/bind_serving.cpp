// Serving and ServingSnapshot: all but their searches.

#include <exception>
#include <mutex>
#include <utility>

#include "arguments.hpp"
#include "binding.hpp"
#include "docs.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "segue/serving.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

using Made = std::shared_ptr<py::object>;  // what Python's prepare returned

thread_local bool preparing = false;

// A time as Python has it, in UTC.
py::object to_datetime(std::chrono::system_clock::time_point time) {
  const double seconds = std::chrono::duration<double>(time.time_since_epoch()).count();
  const py::module_ datetime = py::module_::import("datetime");
  return datetime.attr("datetime").attr("fromtimestamp")(seconds, datetime.attr("timezone").attr("utc"));
}

py::object to_path_or_none(const std::string& path) {
  if (path.empty()) return py::none();
  return py::module_::import("os").attr("fsdecode")(py::bytes(path));
}

// A snapshot, held.
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const ServingSnapshot> snapshot) : snapshot_(std::move(snapshot)) {}

  const ServingSnapshot& operator*() const noexcept { return *snapshot_; }
  py::object index() const { return adopt(std::const_pointer_cast<Index>(share_index(snapshot_))); }
  py::object prepared() const {
    const Made* made = snapshot_->prepared<Made>();
    return made == nullptr ? py::none() : **made;
  }

 private:
  std::shared_ptr<const ServingSnapshot> snapshot_;
};

class Server {
 public:
  Server(const py::object& source, ServingOptions options, const py::object& prepare) {
    if (!prepare.is_none()) options.prepare = ask(prepare);
    run(source, [&](const auto& next) -> Status {
      Result<std::unique_ptr<Serving>> opened = start(next, std::move(options));
      if (!opened.ok()) return opened.status();
      serving_ = *std::move(opened);
      return {};
    });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Whatever it waits for may want the lock.
  ~Server() {
    without_gil([&] { serving_.reset(); });
  }

  Serving& operator*() const noexcept { return *serving_; }
  std::uint64_t swap(const py::object& source) {
    std::uint64_t generation = 0;
    run(source, [&](const auto& next) -> Status {
      Result<std::uint64_t> swapped = serving_->swap(next);
      if (!swapped.ok()) return swapped.status();
      generation = *swapped;
      return {};
    });
    return generation;
  }

 private:
  static Result<std::unique_ptr<Serving>> start(const std::string& path, ServingOptions options) {
    return Serving::open(path, std::move(options));
  }
  static Result<std::unique_ptr<Serving>> start(const std::shared_ptr<const Index>& index, ServingOptions options) {
    return Serving::create(index, std::move(options));
  }

  // Calls `work` with the index or the path that `source` is; what prepare raised comes out as it was.
  template <class Work>
  void run(const py::object& source, const Work& work) {
    if (preparing) raise_invalid("prepare called swap() of a Serving; a swap waits for prepare to end");
    std::shared_ptr<const Index> index;
    std::string path;
    if (py::isinstance<Index>(source)) {
      index_of(source);
      index = source.cast<std::shared_ptr<Index>>();
    } else {
      path = to_path(source);
    }
    std::exception_ptr raised;
    const Status status = without_gil([&] {
      const std::lock_guard one_at_a_time(swapping_);
      raised_ = nullptr;
      Status done = index == nullptr ? work(path) : work(index);
      raised = std::exchange(raised_, nullptr);
      return done;
    });
    if (status.ok()) return;
    if (raised) std::rethrow_exception(raised);
    raise_file(status);
  }

  std::function<Status(const std::shared_ptr<const Index>&, std::any&)> ask(const py::object& prepare) {
    return [this, held = hold(prepare)](const std::shared_ptr<const Index>& index, std::any& prepared) -> Status {
      const AcquireGil acquired;
      preparing = true;
      Status status;
      try {
        prepared = hold((*held)(adopt(std::const_pointer_cast<Index>(index))));
      } catch (const py::error_already_set& error) {
        raised_ = std::current_exception();
        status = {StatusCode::kUnsupported, error.what()};
      }
      preparing = false;
      return status;
    };
  }

  std::mutex swapping_;
  std::exception_ptr raised_;  // by prepare, in the swap under way
  std::unique_ptr<Serving> serving_;
};

std::unique_ptr<Server> make_server(const py::object& source, const py::object& mmap, const py::object& verify,
                                    const py::object& warm_up, const py::object& warm_up_bytes_per_s,
                                    const py::object& niceness, const py::object& prepare) {
  ServingOptions options;
  options.mmap = to_bool(mmap, "mmap");
  options.verify = to_bool(verify, "verify");
  options.warm_up = to_bool(warm_up, "warm_up");
  options.warm_up_bytes_per_s = warm_up_bytes_per_s.is_none() ? 0 : to_size(warm_up_bytes_per_s, "warm_up_bytes_per_s", 1);
  options.niceness = static_cast<int>(to_size(niceness, "niceness", 0, 20));
  return std::make_unique<Server>(source, std::move(options), prepare);
}

}  // namespace

std::shared_ptr<py::object> hold(const py::object& object) {
  return {new py::object(object), [](py::object* held) {
            const AcquireGil acquired;
            delete held;
          }};
}

Serving& serving_of(py::handle self) { return *self.cast<const Server&>(); }

std::shared_ptr<const Index> served_index(py::handle self) { return share_index((*self.cast<const Server&>()).current()); }

void bind_serving(py::module_& module) {
  using py::arg;
  py::class_<Snapshot>(module, "ServingSnapshot", docs::kServingSnapshot)
      .def_property_readonly("index", &Snapshot::index, docs::kSnapshotIndex)
      .def_property_readonly("prepared", &Snapshot::prepared, docs::kSnapshotPrepared)
      .def_property_readonly("generation", [](const Snapshot& self) { return (*self).generation(); }, docs::kSnapshotGeneration)
      .def_property_readonly("path", [](const Snapshot& self) { return to_path_or_none((*self).path()); }, docs::kSnapshotPath)
      .def_property_readonly("loaded_at", [](const Snapshot& self) { return to_datetime((*self).loaded_at()); },
                             docs::kSnapshotLoadedAt)
      .def("__repr__", [](const Snapshot& self) {
        return "ServingSnapshot(generation=" + std::to_string((*self).generation()) + ", path=" +
               py::repr(to_path_or_none((*self).path())).cast<std::string>() + ")";
      }, "__repr__(self)\n--\n\n");

  py::class_<Server>(module, "Serving", docs::kServing)
      .def(py::init(&make_server), arg("source"), py::kw_only(), arg("mmap") = true, arg("verify") = true,
           arg("warm_up") = true, arg("warm_up_bytes_per_s") = std::uint64_t{512} << 20, arg("niceness") = 19,
           arg("prepare") = py::none(), docs::kServingInit)
      .def("swap", &Server::swap, arg("source"), docs::kSwap)
      .def("current", [](const Server& self) { return Snapshot((*self).current()); }, docs::kCurrent)
      .def_property_readonly("generation", [](const Server& self) { return (*self).generation(); }, docs::kServingGeneration)
      .def_property_readonly("path", [](const Server& self) { return to_path_or_none((*self).path()); }, docs::kServingPath)
      .def_property_readonly("loaded_at", [](const Server& self) { return to_datetime((*self).loaded_at()); },
                             docs::kServingLoadedAt)
      .def_property_readonly("held", [](const Server& self) { return (*self).held(); }, docs::kServingHeld)
      .def_property_readonly("metric", [](const Server& self) { return segue::to_string((*self).metric()); },
                             docs::kServingMetric)
      .def("__repr__", [](const Server& self) {
        return "Serving(generation=" + std::to_string((*self).generation()) + ", path=" +
               py::repr(to_path_or_none((*self).path())).cast<std::string>() + ")";
      }, "__repr__(self)\n--\n\n");
}

}  // namespace segue::python
