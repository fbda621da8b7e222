#!/bin/sh
# Compiles the native datapath: build.sh HEADERS OUT, where HEADERS is the include/node folder of the Node that loads it.
# CXX is the compiler, CXXFLAGS adds to its flags.
set -eu
flags="-std=c++20 -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-missing-field-initializers ${CXXFLAGS:-}"

# Compiles one file when called as: build.sh --object HEADERS FOLDER SOURCE.
if [ "${1:-}" = --object ]; then
	# shellcheck disable=SC2086
	exec ${CXX:-g++} $flags -isystem "$2" -c "$4" -o "$3/$(basename "$4" .cc).o"
fi

headers=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
find "$here/src" -name '*.cc' -print0 | xargs -0 -P "$(nproc)" -n 1 "$here/build.sh" --object "$headers" "$objects"
mkdir -p "$(dirname "$out")"
# shellcheck disable=SC2086
${CXX:-g++} -shared -static-libgcc -static-libstdc++ $flags "$objects"/*.o -o "$out.new"
mv "$out.new" "$out"
