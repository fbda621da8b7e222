# shellcheck shell=bash
# shellcheck disable=SC2153
# The base of the virtual flavour: Debian's packages as one tar, kept under the hash of what it was made from.

# Mirror line of this host for a Debian suite, so that the image is made from where the host gets its own packages.
host_mirror() {
	local suite_pattern=$1
	# shellcheck disable=SC2016 # the fields are apt-get's
	apt-get indextargets --format '$(ORIGIN)|$(SUITE)|$(CODENAME)|$(REPO_URI)' 2> /dev/null |
		awk -F'|' -v pattern="$suite_pattern" '$1 == "Debian" && $3 ~ pattern { print $4; exit }'
}

base_sources() {
	local suite=$1 main security
	main=${RUSHLIGHT_MIRROR:-$(host_mirror '^[a-z]+$')}
	security=${RUSHLIGHT_SECURITY_MIRROR:-$(host_mirror '-security$')}
	# Without a line mmdebstrap takes Debian's own defaults.
	[ -n "$main" ] || return 0
	printf 'deb %s %s main\n' "$main" "$suite" "$main" "$suite-updates"
	[ -z "$security" ] || printf 'deb %s %s-security main\n' "$security" "$suite"
}

# base_tar ARCH STAGE... : prints the path of the tar, made where it is not there.
base_tar() {
	local arch=$1
	shift
	local lists=("$IMAGE_DIR/virt/base-packages") excludes="$1/00-dpkg/files/dpkg-excludes" stage list
	for stage in "$@"; do
		for list in "$stage"/*/[0-9][0-9]-packages-nr "$stage"/*/[0-9][0-9]-packages; do
			[ -f "$list" ] && lists+=("$list")
		done
	done
	local key tar
	key=$(hash_inputs "${lists[@]}" "$excludes" "$IMAGE_DIR/lib/base.sh")
	tar="$CACHE_DIR/base-$SUITE-$arch-$key.tar"
	if [ ! -s "$tar" ]; then
		make_base "$arch" "$excludes" "$tar" "${lists[@]}"
	fi
	printf '%s\n' "$tar"
}

# make_base ARCH EXCLUDES TAR LIST… : the packages of the lists, and Debian's kernel.
make_base() {
	local arch=$1 excludes=$2 tar=$3 packages
	shift 3
	packages=$(read_packages "$@" | paste -sd,)
	# The initramfs is made once, at the end; each kernel hook would make it again.
	# shellcheck disable=SC2016 # $1 is the hook's
	debian_tar "$arch" "$excludes" "$tar" "$packages,linux-image-$arch" \
		--essential-hook='ln -sf /bin/true "$1/usr/local/sbin/update-initramfs"' \
		--customize-hook='rm -f "$1/usr/local/sbin/update-initramfs"'
}

# debian_tar ARCH EXCLUDES TAR PACKAGES [OPTION…]: a root of Debian's packages (names with commas), what dpkg is not to unpack
# left out. Options go to mmdebstrap.
debian_tar() {
	local arch=$1 excludes=$2 tar=$3 packages=$4 options=() line
	shift 4
	while read -r line; do
		case $line in path-*) options+=("--dpkgopt=$line") ;; esac
	done < "$excludes"
	say "base root for $arch ($(tr ',' '\n' <<< "$packages" | wc -l) packages asked for)"
	mkdir -p "$CACHE_DIR"
	local log="${tar%.tar}.log" partial="${tar%.tar}.partial.tar"
	base_sources "$SUITE" > "$tar.sources"
	mmdebstrap --architectures="$arch" --variant=minbase --include="$packages" \
		"${options[@]}" "$@" \
		--aptopt='Acquire::Retries "3"' \
		"$SUITE" "$partial" - < "$tar.sources" > "$log" 2>&1 || {
		tail -n 40 "$log" >&2
		fail "the base root could not be made; the whole log is $log"
	}
	rm -f "$tar.sources"
	mv "$partial" "$tar"
}
