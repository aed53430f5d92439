// What hermetic_test.sh must refuse: an inline function with external linkage, as a standard header would bring.
inline float leaked(float x) { return x * x; }
float (*leak())(float) { return leaked; }
