#pragma once
// Whether a sanitizer watches. It makes everything five to fifty times slower and needs to see each path once; how often
// something is right of a hundred times is for the plain build to say.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEGUE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SEGUE_TEST_SANITIZED 1
#endif
#endif

namespace segue::test {

#ifdef SEGUE_TEST_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace segue::test
