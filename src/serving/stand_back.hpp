#pragma once
// Work in a thread that leaves the processor and the disk to others.

#include <functional>

namespace segue {

// The niceness of who takes only what nobody else wants.
inline constexpr int kOnlyIdle = 20;

// Runs `work` in a thread of its own of that niceness (0 to kOnlyIdle), and waits for it. From 1 on its reading comes last, too.
// Where there is no thread to be had it runs in this one. What `work` throws comes out here.
void stand_back(int niceness, const std::function<void()>& work);

}  // namespace segue
