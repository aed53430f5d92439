#include "segue/isa.hpp"

#include <string>

#include "kernels/dispatch.hpp"

namespace segue::isa {
namespace {

// "scalar, avx2, avx512"
std::string available_list() {
  std::string list;
  for (const kernels::KernelTable* table : kernels::available_kernels()) {
    if (!list.empty()) list += ", ";
    list += table->name;
  }
  return list;
}

// A name from the environment may hold anything.
std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name.substr(0, 40)) text += (c >= ' ' && c <= '~') ? c : '?';
  return text + (name.size() > 40 ? "...\"" : "\"");
}

Status reject(std::string_view what, std::string_view name) {
  const bool known = kernels::is_known_kernel_name(name);
  return invalid_argument(
      std::string(what) + quoted(name) +
      (known ? " is an instruction set that this machine cannot run" : " is not the name of an instruction set") +
      "; available here: " + available_list());
}

}  // namespace

std::vector<std::string_view> available() {
  std::vector<std::string_view> names;
  for (const kernels::KernelTable* table : kernels::available_kernels()) names.emplace_back(table->name);
  return names;
}

std::string_view active() { return kernels::active_kernels().name; }

Status use(std::string_view name) {
  const kernels::KernelTable* table = kernels::find_kernels(name);
  if (table == nullptr) return reject("isa::use: ", name);
  kernels::use_kernels(*table);
  return {};
}

Status environment_status() {
  const std::string_view name = kernels::rejected_environment_name();
  if (name.empty()) return {};
  return reject("environment variable SEGUE_ISA: ", name);
}

}  // namespace segue::isa
