#pragma once
// What the processor can do and the operating system lets us use.

namespace segue::kernels {

struct CpuFeatures {
  bool avx2 = false;        // AVX2, FMA and F16C, and the system saves the upper halves of ymm registers
  bool avx512 = false;      // avx2, AVX-512 F + BW + VL + DQ, and the system saves zmm and mask registers
  bool avx512vnni = false;  // avx512 and AVX512_VNNI
  bool neon = false;        // any 64-bit ARM
  // To come: avx512fp16 (CPUID 7.0 EDX bit 23), amx (CPUID 7.0 EDX bits 22, 24, 25, XCR0 bits 17, 18, and on Linux
  // arch_prctl(ARCH_REQ_XCOMP_PERM)).
};

// Asks the processor (CPUID and XGETBV on x86-64). Cheap, but a trap under some hypervisors: ask once.
CpuFeatures detect_cpu() noexcept;

}  // namespace segue::kernels
