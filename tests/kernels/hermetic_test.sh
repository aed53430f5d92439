#!/bin/sh
# hermetic_test.sh NM OBJECT... : each object is a kernel table and nothing else the linker could share.
#
# A weak symbol here is an inline function compiled for, say, AVX-512, which the linker may keep for the whole program;
# an older processor then dies far from any kernel. So: no weak or unique symbol, exactly one external definition (the
# table), and nothing needed from outside but what compilers call on their own.
set -eu
nm=$1
shift
[ $# -gt 0 ] || { echo "no objects given"; exit 1; }
failed=0
for object in "$@"; do
  symbols=$("$nm" -P "$object")
  # Sanitizers add their own; they are not built for another instruction set.
  sanitizer='^(__asan_|__ubsan_|__tsan_|__sanitizer_|__odr_asan|__gcov|__llvm_)'
  weak=$(printf '%s\n' "$symbols" | awk '$2 ~ /^[VvWwu]$/ { print $1 }' | grep -Ev "$sanitizer" || true)
  external=$(printf '%s\n' "$symbols" | awk '$2 ~ /^[ABCDGRST]$/ { print $1 }' | grep -Ev "$sanitizer" || true)
  undefined=$(printf '%s\n' "$symbols" | awk '$2 == "U" { print $1 }' | grep -Ev "$sanitizer" |
    grep -Evx 'memcpy|memset|memmove|memcmp|_GLOBAL_OFFSET_TABLE_|__stack_chk_(fail|guard)' || true)
  name=$(basename "$object")
  case "$external" in
    *"
"*) echo "$name: more than one external symbol:"; echo "$external"; failed=1 ;;
    _ZN5segue7kernels*TableE) ;;
    *) echo "$name: the external symbol is not a kernel table: '$external'"; failed=1 ;;
  esac
  [ -z "$weak" ] || { echo "$name: weak symbols:"; echo "$weak"; failed=1; }
  [ -z "$undefined" ] || { echo "$name: needs from outside:"; echo "$undefined"; failed=1; }
  echo "$name: $external"
done
exit $failed
