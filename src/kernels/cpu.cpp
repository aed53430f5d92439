#include "kernels/cpu.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace segue::kernels {

#if defined(__x86_64__)

namespace {

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) noexcept {
  Registers r;
  // Returns 0 and leaves the registers at 0 for a leaf that the processor does not have.
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

// XCR0: which registers the operating system saves when it switches threads. The instruction in assembler, because
// the intrinsic needs -mxsave, and flags belong to the kernels alone.
unsigned long long xcr0() noexcept {
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<unsigned long long>(high) << 32) | low;
}

constexpr bool has(unsigned registers, unsigned bit) noexcept { return ((registers >> bit) & 1u) != 0; }

}  // namespace

CpuFeatures detect_cpu() noexcept {
  CpuFeatures features;
  const Registers basic = cpuid(1, 0);
  const Registers extended = cpuid(7, 0);
  if (!has(basic.ecx, 27)) return features;  // OSXSAVE: without it xgetbv itself is an illegal instruction
  const unsigned long long saved = xcr0();
  const bool saves_ymm = (saved & 0x06) == 0x06;  // xmm, upper halves of ymm
  const bool saves_zmm = (saved & 0xe6) == 0xe6;  // and masks, upper halves of zmm0-15, zmm16-31

  const bool fma = has(basic.ecx, 12), avx = has(basic.ecx, 28), f16c = has(basic.ecx, 29);
  features.avx2 = saves_ymm && avx && fma && f16c && has(extended.ebx, 5);

  const bool f = has(extended.ebx, 16), dq = has(extended.ebx, 17), bw = has(extended.ebx, 30);
  const bool vl = has(extended.ebx, 31);
  features.avx512 = features.avx2 && saves_zmm && f && dq && bw && vl;
  features.avx512vnni = features.avx512 && has(extended.ecx, 11);
  return features;
}

#elif defined(__aarch64__)

CpuFeatures detect_cpu() noexcept {
  CpuFeatures features;
  features.neon = true;
  return features;
}

#else

CpuFeatures detect_cpu() noexcept { return {}; }

#endif

}  // namespace segue::kernels
