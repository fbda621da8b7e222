# shellcheck shell=bash
build_pi() { fail "not yet"; }
