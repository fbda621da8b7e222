# shellcheck shell=bash
# The boards' flavour, through pi-gen.

PI_GEN_REPO=${PI_GEN_REPO:-https://github.com/RPi-Distro/pi-gen}
# Head of the branch `arm64` of 2026-06-16. Our stages depend on its build.sh; review a newer one before changing this.
PI_GEN_COMMIT=ca8aeed0ae300c2a89f55ce9617d5f96a27e99e5

# build_pi FOLDER ARCH STAND_INS: runs the given checkout of pi-gen, or the pinned one. With stand-ins (not empty) from Debian's
# packages only, for any architecture, to check that the stages finish and to inspect the resulting root and disk.
build_pi() {
	local pi_gen=$1 arch=$2 stand_ins=$3 out="$OUT_DIR/pi" product_arch=arm64
	if [ -n "$pi_gen" ] && [ ! -x "$pi_gen/build.sh" ]; then fail "$pi_gen is no checkout of pi-gen: there is no build.sh in it"; fi
	need_tools npm:npm make:make python3:python3 git:git openssl:openssl
	if [ -n "$stand_ins" ]; then product_arch=$arch out="$OUT_DIR/pi-stand-ins"; fi
	[ "$product_arch" = "$(dpkg --print-architecture)" ] || case $product_arch in
		arm64) need_tools aarch64-linux-gnu-g++:g++-aarch64-linux-gnu ;;
		amd64) need_tools x86_64-linux-gnu-g++:g++-x86-64-linux-gnu ;;
	esac
	built_pages
	[ -n "$pi_gen" ] || pi_gen=$(pinned_pi_gen)
	RUSHLIGHT_SOURCE=$SOURCE_DIR
	RUSHLIGHT_PRODUCT=$(product_archive "$product_arch")
	# The container may not ask git: there, the clone belongs to somebody else.
	RUSHLIGHT_COMMIT=$(git -C "$SOURCE_DIR" rev-parse HEAD 2> /dev/null || echo unknown)
	export RUSHLIGHT_SOURCE RUSHLIGHT_PRODUCT RUSHLIGHT_COMMIT ROOT_BUDGET_MIB=$PI_ROOT_BUDGET_MIB
	export WORK_DIR="${RUSHLIGHT_WORK:-/var/tmp/rushlight-pi-gen}" DEPLOY_DIR="$out"
	mkdir -p "$out"
	# Made here, since the stage may have only read access to the sources.
	export RUSHLIGHT_KEYS=${RUSHLIGHT_KEYS:-$CACHE_DIR/keys}
	[ -s "$RUSHLIGHT_KEYS/keyring.pem" ] || "$SOURCE_DIR/ota/bundle/pki" init "$RUSHLIGHT_KEYS"
	if [ -n "$stand_ins" ]; then
		build_pi_with_stand_ins "$pi_gen" "$arch"
	elif [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
		foreign_programs_for_pi arm64
		pi_gen_natively "$pi_gen"
	else
		pi_gen_in_container "$pi_gen" "$out"
	fi
}

# build_pi_with_stand_ins PI_GEN ARCH: its work folder is useless afterwards.
build_pi_with_stand_ins() {
	local pi_gen=$1 arch=$2
	[ "$(id -u)" -eq 0 ] || fail "building a root needs root; run: sudo $0 pi --stand-ins"
	foreign_programs_for_pi "$arch"
	need_tools depmod:kmod debootstrap:debootstrap
	WORK_DIR=$(mktemp -d -p "${RUSHLIGHT_WORK:-/var/tmp}" rushlight-stand-ins.XXXXXX)
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf --one-file-system '$WORK_DIR'" EXIT
	export CLEAN=1 GIT_HASH
	pi_gen=$(stand_in_pi_gen "$pi_gen" "$arch" "$WORK_DIR")
	GIT_HASH=$(cat "$pi_gen/hash")
	pi_gen_natively "$pi_gen"
	say "pi-gen's stages ran to their end; the image in $DEPLOY_DIR is for looking at, not for a board"
}

# pi_gen_natively PI_GEN: with the tools in its file `depends`. Its mounts end with it, and nothing else on the host changes.
pi_gen_natively() {
	local pi_gen=$1 line pairs=()
	while read -r line; do
		case $line in
			'' | '#'*) ;;
			# qemu-user-binfmt cannot be installed beside qemu-user-static.
			qemu-arm:*) pairs+=(qemu-arm:qemu-user) ;;
			*:*) pairs+=("$line") ;;
			*) pairs+=("$line:$line") ;;
		esac
	done < "$pi_gen/depends"
	need_tools "${pairs[@]}"
	mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc ||
		fail "pi-gen needs binfmt_misc, which this kernel does not have"
	say "pi-gen, natively"
	(cd "$pi_gen" && unshare --mount --propagation private -- ./build.sh -c "$SOURCE_DIR/pi-gen-config/config")
}

# foreign_programs_for_pi ARCH: runs programs of another architecture if the root has one.
foreign_programs_for_pi() {
	local arch=$1
	[ "$arch" != "$(dpkg --print-architecture)" ] || return 0
	need_tools arch-test:arch-test "$(case $arch in arm64) echo qemu-aarch64-static ;; *) echo qemu-x86_64-static ;; esac):qemu-user-static"
	foreign_programs "$arch"
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

# In pi-gen's own container; our folders are mounted at the same paths, so that the config stays valid.
pi_gen_in_container() {
	local pi_gen=$1 out=$2 engine=${DOCKER:-docker}
	command -v "$engine" > /dev/null ||
		fail "the boards' image is built on Debian as root (sudo image/build pi) or in a container; there is no $engine here"
	say "pi-gen, in its container"
	(
		cd "$pi_gen" || exit
		local options=() folder variable
		for folder in "$SOURCE_DIR" "$CACHE_DIR" "$RUSHLIGHT_KEYS"; do options+=(--volume "$folder:$folder:ro"); done
		options+=(--volume "$out:$out")
		for variable in RUSHLIGHT_SOURCE RUSHLIGHT_PRODUCT RUSHLIGHT_COMMIT RUSHLIGHT_KEYS ROOT_BUDGET_MIB SOURCE_DATE_EPOCH DEPLOY_DIR; do
			options+=(-e "$variable=${!variable}")
		done
		PIGEN_DOCKER_OPTS="${options[*]}" ./build-docker.sh -c "$SOURCE_DIR/pi-gen-config/config"
	)
}
