#include "kernels/dispatch.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "kernels/cpu.hpp"

namespace segue::kernels {
namespace {

constexpr std::string_view kKnownNames[] = {"scalar", "avx2", "avx512", "avx512vnni", "neon"};

// Everything is decided when the first caller comes, and is constant from then on but for `active`.
struct Choice {
  std::array<const KernelTable*, 4> tables{};
  std::size_t count = 0;
  std::atomic<const KernelTable*> active{nullptr};
  char rejected[64] = {};  // a copy: the environment may change under us

  Choice() noexcept {
    const CpuFeatures cpu = detect_cpu();
    static_cast<void>(cpu);
    tables[count++] = &kScalarTable;
#if defined(SEGUE_SCALAR_KERNELS_ONLY)
#elif defined(__x86_64__)
    if (cpu.avx2) tables[count++] = &kAvx2Table;
    if (cpu.avx512) tables[count++] = &kAvx512Table;
    if (cpu.avx512vnni) tables[count++] = &kAvx512VnniTable;
#elif defined(__aarch64__)
    if (cpu.neon) tables[count++] = &kNeonTable;
#endif
    const KernelTable* chosen = tables[count - 1];
    if (const char* wanted = std::getenv("SEGUE_ISA"); wanted != nullptr && *wanted != '\0') {
      if (const KernelTable* table = find(wanted); table != nullptr) {
        chosen = table;
      } else {
        std::strncpy(rejected, wanted, sizeof(rejected) - 1);
      }
    }
    active.store(chosen, std::memory_order_relaxed);
  }

  const KernelTable* find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      if (name == tables[i]->name) return tables[i];
    }
    return nullptr;
  }
};

Choice& choice() noexcept {
  static Choice the_choice;
  return the_choice;
}

}  // namespace

std::span<const KernelTable* const> available_kernels() noexcept { return {choice().tables.data(), choice().count}; }

const KernelTable* find_kernels(std::string_view name) noexcept { return choice().find(name); }

const KernelTable& active_kernels() noexcept { return *choice().active.load(std::memory_order_relaxed); }

void use_kernels(const KernelTable& table) noexcept { choice().active.store(&table, std::memory_order_relaxed); }

std::string_view rejected_environment_name() noexcept { return choice().rejected; }

bool is_known_kernel_name(std::string_view name) noexcept {
  for (const std::string_view known : kKnownNames) {
    if (name == known) return true;
  }
  return false;
}

}  // namespace segue::kernels
