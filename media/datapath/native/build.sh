#!/bin/sh
# Compiles the native datapath: build.sh HEADERS OUT, where HEADERS is the include/node folder of the Node that loads it.
# CXX names the compiler, CXXFLAGS adds to its flags.
set -eu
headers=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
compile='set -eu; name=$(basename "$4" .cc); exec $1 -std=c++20 -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-missing-field-initializers $2 -isystem "$3" -c "$4" -o "$5/$name.o"'
# shellcheck disable=SC2016
printf '%s\n' "$here"/src/*.cc |
	xargs -P "$(nproc)" -I{} sh -c "$compile" compile "${CXX:-g++}" "${CXXFLAGS:-}" "$headers" {} "$objects"
mkdir -p "$(dirname "$out")"
${CXX:-g++} -shared -static-libgcc -static-libstdc++ ${CXXFLAGS:-} "$objects"/*.o -o "$out.new"
mv "$out.new" "$out"
