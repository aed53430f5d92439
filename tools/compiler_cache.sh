# compiler_cache.sh : to be sourced from the project's root. Compiles through ccache where there is one.
#
# CCACHE_BASEDIR has it forget where the project stands: a second tree of the same commit, or of one that changed other
# files, finds everything compiled (bench_check.sh builds a whole release from it in two seconds). CCACHE_NOHASHDIR says the
# same of builds with debug information, which is all sanitizers': paths in it are relative but for one, of the build folder.
# CCACHE_SLOPPINESS is what its manual asks for where headers are precompiled.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  export CCACHE_SLOPPINESS=pch_defines,time_macros
fi
