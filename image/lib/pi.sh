# shellcheck shell=bash
# The boards' flavour, through pi-gen.

PI_GEN_REPO=${PI_GEN_REPO:-https://github.com/RPi-Distro/pi-gen}
# Head of the branch `arm64` of 2026-06-16. Our stages are written against its build.sh; a newer one is a change to review.
PI_GEN_COMMIT=ca8aeed0ae300c2a89f55ce9617d5f96a27e99e5

# build_pi [FOLDER]: runs the given checkout of pi-gen, or the pinned one.
build_pi() {
	local pi_gen=${1:-} out="$OUT_DIR/pi"
	need_tools npm:npm make:make aarch64-linux-gnu-g++:g++-aarch64-linux-gnu python3:python3 git:git openssl:openssl
	[ -n "$pi_gen" ] || pi_gen=$(pinned_pi_gen)
	[ -x "$pi_gen/build.sh" ] || fail "$pi_gen is no checkout of pi-gen"
	RUSHLIGHT_SOURCE=$SOURCE_DIR
	RUSHLIGHT_PRODUCT=$(product_archive arm64)
	export RUSHLIGHT_SOURCE RUSHLIGHT_PRODUCT ROOT_BUDGET_MIB=$PI_ROOT_BUDGET_MIB
	export WORK_DIR="${RUSHLIGHT_WORK:-/var/tmp/rushlight-pi-gen}" DEPLOY_DIR="$out"
	mkdir -p "$out"
	# Made here, since the stage may see the sources read-only.
	export RUSHLIGHT_KEYS=${RUSHLIGHT_KEYS:-$CACHE_DIR/keys}
	[ -s "$RUSHLIGHT_KEYS/keyring.pem" ] || "$SOURCE_DIR/ota/bundle/pki" init "$RUSHLIGHT_KEYS"
	if [ "$(id -u)" -eq 0 ] && has_dependencies "$pi_gen"; then
		say "pi-gen, natively"
		(cd "$pi_gen" && ./build.sh -c "$SOURCE_DIR/pi-gen-config/config")
	else
		pi_gen_in_container "$pi_gen" "$out"
	fi
}

pinned_pi_gen() {
	local folder="$CACHE_DIR/pi-gen-$PI_GEN_COMMIT"
	if [ ! -x "$folder/build.sh" ]; then
		say "fetching pi-gen at $PI_GEN_COMMIT"
		rm -rf "$folder"
		git init -q "$folder"
		git -C "$folder" fetch -q --depth 1 "$PI_GEN_REPO" "$PI_GEN_COMMIT" ||
			fail "pi-gen could not be fetched; give a checkout with --pi-gen FOLDER"
		git -C "$folder" checkout -q FETCH_HEAD
	fi
	printf '%s\n' "$folder"
}

# True where nothing that pi-gen's file `depends` names is missing on this host.
has_dependencies() {
	local line tool missing=0
	while read -r line; do
		tool=${line%%:*}
		command -v "$tool" > /dev/null || { say "pi-gen needs $tool (${line#*:})"; missing=1; }
	done < "$1/depends"
	return "$missing"
}

# In pi-gen's own container; our folders are mounted where they lie, so that the paths in the config hold.
pi_gen_in_container() {
	local pi_gen=$1 out=$2 engine=${DOCKER:-docker}
	command -v "$engine" > /dev/null ||
		fail "pi-gen runs natively on Debian as root with what its file depends names, or in a container; there is no $engine"
	say "pi-gen, in its container"
	(
		cd "$pi_gen" || exit
		local options=() folder variable
		for folder in "$SOURCE_DIR" "$CACHE_DIR" "$RUSHLIGHT_KEYS"; do options+=(--volume "$folder:$folder:ro"); done
		options+=(--volume "$out:$out")
		for variable in RUSHLIGHT_SOURCE RUSHLIGHT_PRODUCT RUSHLIGHT_KEYS ROOT_BUDGET_MIB SOURCE_DATE_EPOCH DEPLOY_DIR; do
			options+=(-e "$variable=${!variable}")
		done
		PIGEN_DOCKER_OPTS="${options[*]}" ./build-docker.sh -c "$SOURCE_DIR/pi-gen-config/config"
	)
}
