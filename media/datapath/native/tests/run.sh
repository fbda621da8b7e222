#!/bin/sh
# Runs the native datapath's own tests under sanitizers: run.sh [SECONDS OF FUZZING]. Needs clang++ and OpenSSL's headers.
set -eu
compiler=${CXX:-clang++}
common='-std=c++20 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Wno-missing-field-initializers'

# Compiles one file when called as: run.sh --object FLAGS FOLDER SOURCE.
if [ "${1:-}" = --object ]; then
	# shellcheck disable=SC2086
	exec "$compiler" $common $2 -c "$4" -o "$3/$(basename "$4" .cc).o"
fi

seconds=${1:-20}
here=$(cd "$(dirname "$0")" && pwd)
out="$here/../build/tests"
missing() {
	echo "$1 is missing. Run this once, then start again: sudo apt-get install clang libssl-dev" >&2
	exit 1
}
command -v "$compiler" > /dev/null || missing "$compiler"
echo '#include <openssl/evp.h>' | "$compiler" -x c++ -fsyntax-only - 2> /dev/null || missing "openssl/evp.h"

# objects KIND FLAGS: everything except the binding.
objects() {
	mkdir -p "$out/$1"
	find "$here/../src" -name '*.cc' ! -name binding.cc -print0 |
		xargs -0 -P "$(nproc)" -n 1 "$here/run.sh" --object "$2" "$out/$1"
}

# program KIND FLAGS NAME: one of the tests, linked with those objects.
program() {
	# shellcheck disable=SC2086
	"$compiler" $common $2 "$here/$3.cc" "$out/$1"/*.o -o "$out/$3-$1" -lssl -lcrypto -lpthread
}

address='-fsanitize=address,undefined -fno-sanitize-recover=all'
objects address "$address -fsanitize=fuzzer-no-link"
objects thread -fsanitize=thread
for test in formats publishers viewers threads handshakes fan-out whole; do
	program address "$address" "$test"
	"$out/$test-address"
	program thread -fsanitize=thread "$test"
	TSAN_OPTIONS=halt_on_error=1 "$out/$test-thread"
done
# A few pictures, so that it still works.
program address "$address" fan-out-cost
"$out/fan-out-cost-address" 127.0.0.1 15 0 3 > /dev/null
program address "$address -fsanitize=fuzzer" fuzz
mkdir -p "$out/corpus"
"$out/fuzz-address" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 -verbosity=0 "$out/corpus"
