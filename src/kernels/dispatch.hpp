#pragma once
// Which kernel table to use. Ask once, when an index is made or opened, and keep the reference: tables live forever.
//
//   const kernels::KernelTable& table = kernels::active_kernels();
//   table.families[kernels::kFamilyF32].score_list[kernels::kDot](...);
//
// All functions are thread-safe and, after the first call, a few loads.

#include <span>
#include <string_view>

#include "kernels/kernel_table.hpp"

namespace segue::kernels {

// The tables that this machine can run, slowest first; "scalar" is always the first.
std::span<const KernelTable* const> available_kernels() noexcept;

// The available table of that name, or null.
const KernelTable* find_kernels(std::string_view name) noexcept;

// The best available table, unless SEGUE_ISA named another or use_kernels() did. SEGUE_ISA is read once.
const KernelTable& active_kernels() noexcept;

// Makes `table` (an element of available_kernels()) the active one from now on.
void use_kernels(const KernelTable& table) noexcept;

// What SEGUE_ISA said at the first call if no available table has that name; empty otherwise.
std::string_view rejected_environment_name() noexcept;

// Whether Segue knows an instruction set of that name on any machine.
bool is_known_kernel_name(std::string_view name) noexcept;

}  // namespace segue::kernels
