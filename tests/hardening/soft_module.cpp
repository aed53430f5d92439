// Stands for code that was built without any hardening; CMakeLists.txt takes the flags away.
extern "C" int segue_soft(int value) { return value + 1; }
