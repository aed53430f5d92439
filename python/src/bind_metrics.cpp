// Metrics, the property `metrics` of Index and Serving, and what segue/_trace.py is made of.

#include "segue/metrics.hpp"

#include <pybind11/stl.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "arguments.hpp"
#include "binding.hpp"
#include "docs_metrics.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "segue/trace.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

using py::arg;

std::vector<std::pair<std::string, std::string>> to_labels(const py::object& labels) {
  std::vector<std::pair<std::string, std::string>> out;
  if (labels.is_none()) return out;
  if (!py::isinstance<py::dict>(labels)) raise_invalid("labels is " + describe(labels) + ", expected a dict of str");
  for (const auto& [name, value] : py::reinterpret_borrow<py::dict>(labels)) {
    out.emplace_back(python::to_string(name, "a label's name"), python::to_string(value, "a label's value"));
  }
  return out;
}

std::vector<double> to_bounds(const py::object& bounds) {
  std::vector<double> out;
  if (bounds.is_none()) return out;
  if (!py::isinstance<py::iterable>(bounds)) {
    raise_invalid("latency_bounds is " + describe(bounds) + ", expected numbers of seconds");
  }
  for (const py::handle bound : bounds) out.push_back(to_double(bound, "latency_bounds"));
  return out;
}

std::shared_ptr<Metrics> make_metrics(const py::object& labels, const py::object& latency_bounds,
                                      const py::object& shadow_rate, const py::object& shadow_seed,
                                      const py::object& shadow_queue, const py::object& shadow_load) {
  MetricsOptions options;
  options.labels = to_labels(labels);
  options.latency_bounds = to_bounds(latency_bounds);
  options.shadow.rate = to_double(shadow_rate, "shadow_rate");
  options.shadow.seed = to_uint64(shadow_seed, "shadow_seed");
  options.shadow.queue = to_size(shadow_queue, "shadow_queue");
  options.shadow.load = to_double(shadow_load, "shadow_load");
  return python::take(Metrics::create(std::move(options)));
}

py::dict to_dict(const OperationMetrics& of) {
  const LatencyHistogram& latency = of.latency;
  return py::dict(arg("calls") = of.calls, arg("errors") = of.errors, arg("items") = of.items,
                  arg("latency") = py::dict(arg("count") = latency.count, arg("seconds") = latency.seconds,
                                            arg("p50") = latency.quantile(0.5), arg("p90") = latency.quantile(0.9),
                                            arg("p99") = latency.quantile(0.99),
                                            arg("p999") = latency.quantile(0.999)));
}

py::dict to_dict(const RecallEstimate& of) {
  return py::dict(arg("sampled") = of.sampled, arg("measured") = of.measured, arg("dropped") = of.dropped,
                  arg("skipped") = of.skipped, arg("wanted") = of.wanted, arg("found") = of.found,
                  arg("recall") = of.recall, arg("low") = of.low, arg("high") = of.high);
}

// What is attached may be waiting for the interpreter while it is asked.
py::dict snapshot(const Metrics& metrics) {
  const MetricsSnapshot now = without_gil([&] { return metrics.snapshot(); });
  py::object live = py::none();
  py::object serving = py::none();
  if (now.live) {
    live = py::dict(arg("journal_lag") = now.live->journal_lag, arg("journal_bytes") = now.live->journal_bytes,
                    arg("snapshot_age") = now.live->snapshot_age);
  }
  if (now.serving) {
    serving = py::dict(arg("generation") = now.serving->generation, arg("held") = now.serving->held,
                       arg("age") = now.serving->age);
  }
  return py::dict(arg("search") = to_dict(now.search), arg("range_search") = to_dict(now.range_search),
                  arg("distances") = now.distances, arg("visited") = now.visited, arg("cut") = now.cut,
                  arg("add") = to_dict(now.add), arg("upsert") = to_dict(now.upsert), arg("remove") = to_dict(now.remove),
                  arg("snapshot") = to_dict(now.snapshot), arg("swap") = to_dict(now.swap),
                  arg("recall") = to_dict(now.recall), arg("indexes") = now.indexes, arg("items") = now.items,
                  arg("memory") = now.memory, arg("live") = live, arg("serving") = serving);
}

std::shared_ptr<Metrics> to_metrics(const py::object& metrics) {
  if (metrics.is_none()) return nullptr;
  if (!py::isinstance<Metrics>(metrics)) {
    raise_invalid("metrics is " + describe(metrics) + ", expected a segue.Metrics or None");
  }
  return metrics.cast<std::shared_ptr<Metrics>>();
}

// A thread of the library (one that writes a snapshot) must not come for an interpreter that is going: it would be ended in
// the middle of what it does. Before that happens the door is closed, and who is inside waited for.
class Door {
 public:
  // False: nothing is called any more.
  bool enter() noexcept {
    inside_.fetch_add(1, std::memory_order_seq_cst);
    if (!closed_.load(std::memory_order_seq_cst)) return true;
    leave();
    return false;
  }
  void leave() noexcept { inside_.fetch_sub(1, std::memory_order_seq_cst); }
  void close() noexcept {
    closed_.store(true, std::memory_order_seq_cst);
    while (inside_.load(std::memory_order_seq_cst) != 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

 private:
  std::atomic<int> inside_{0};
  std::atomic<bool> closed_{false};
};

Door door;

template <class Work>
void with_interpreter(const Work& work) {
  if (!door.enter()) return;
  struct Leave {
    ~Leave() { door.leave(); }
  } const leave;
  const AcquireGil acquired;
  work();
}

// What Python raised goes to sys.unraisablehook; the library counts the failure.
template <class Work>
void in_python(const Work& work, const char* where) {
  bool raised = false;
  with_interpreter([&] {
    try {
      work();
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable(where);
      raised = true;
    }
  });
  if (raised) throw std::runtime_error("a tracer raised");
}

// Spans under way keep it, which may be longer than the interpreter lives.
std::shared_ptr<py::object> hold_while_open(const py::object& object) {
  return {new py::object(object), [](py::object* held) { with_interpreter([&] { delete held; }); }};
}

// None for `start`: no tracer. Both are called with the interpreter's lock, in the thread that made the call.
void set_tracer(const py::object& start, const py::object& end) {
  TraceHooks hooks;
  if (!start.is_none()) {
    hooks.start = [held = hold_while_open(start)](std::string_view name) -> void* {
      void* span = nullptr;
      in_python([&] { span = (*held)(py::str(name.data(), name.size())).release().ptr(); },
                "the start of segue.set_tracer");
      return span;
    };
    hooks.end = [held = hold_while_open(end)](void* span, const Status& status) {
      in_python(
          [&] {
            const auto object = py::reinterpret_steal<py::object>(static_cast<PyObject*>(span));
            if (object && !held->is_none()) {
              (*held)(object, status.ok() ? py::object(py::none()) : py::object(py::str(status.message())));
            }
          },
          "the end of segue.set_tracer");
    };
  }
  without_gil([&] { set_trace_hooks(std::move(hooks)); });
}

template <class Get, class Set>
void add_property(py::module_& module, const char* type, const char* doc, const Get& get, const Set& set) {
  const py::object owner = module.attr(type);
  owner.attr("metrics") = py::module_::import("builtins")
                              .attr("property")(py::cpp_function(get, py::is_method(owner)),
                                                py::cpp_function(set, py::is_method(owner)), py::none(), doc);
}

}  // namespace

void bind_metrics(py::module_& module) {
  py::class_<Metrics, std::shared_ptr<Metrics>>(module, "Metrics", docs::kMetrics)
      .def(py::init(&make_metrics), py::kw_only(), arg("labels") = py::none(), arg("latency_bounds") = py::none(),
           arg("shadow_rate") = 0.0, arg("shadow_seed") = 0, arg("shadow_queue") = 64, arg("shadow_load") = 0.1,
           docs::kMetricsInit)
      .def("snapshot", &snapshot, docs::kMetricsSnapshot)
      .def("prometheus", [](const Metrics& metrics) { return without_gil([&] { return metrics.prometheus(); }); },
           docs::kMetricsPrometheus);
  add_property(
      module, "Index", docs::kIndexMetrics,
      [](const py::object& self) {
        const Index& index = index_of(self);
        return without_gil([&] { return index.metrics(); });
      },
      [](const py::object& self, const py::object& metrics) {
        const Index& index = index_of(self);
        const std::shared_ptr<Metrics> given = to_metrics(metrics);
        without_gil([&] { index.set_metrics(given); });
      });
  add_property(
      module, "Serving", docs::kServingMetrics,
      [](const py::object& self) {
        const Serving& serving = serving_of(self);
        return without_gil([&] { return serving.metrics(); });
      },
      [](const py::object& self, const py::object& metrics) {
        Serving& serving = serving_of(self);
        const std::shared_ptr<Metrics> given = to_metrics(metrics);
        without_gil([&] { serving.set_metrics(given); });
      });
  module.def("_set_tracer", &set_tracer, arg("start"), arg("end"));
  module.def("_end_tracing", [] {
    set_tracer(py::none(), py::none());
    without_gil([] { door.close(); });
  });
}

}  // namespace segue::python
