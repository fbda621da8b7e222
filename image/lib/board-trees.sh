# shellcheck shell=bash
# shellcheck disable=SC2153 # SUITE is image/build's
# Device trees of boards, for the test of the overlays: from Debian's kernel for arm64, whose package is a small download.
# Raspberry Pi's own are only in the boards' image, where the export checks the overlays against them.

# board_trees: prints the folder with the trees, which it downloads if they are missing.
board_trees() {
	local folder="$CACHE_DIR/board-trees" work
	if [ ! -d "$folder" ]; then
		work=$(mktemp -d)
		mkdir "$work/trees"
		# Since Linux 7 the trees have a package; the newest kernel's are in the suite's backports.
		say "fetching the device trees of Debian's kernel"
		fetch_package "$work" "$SUITE-backports" arm64 '^linux-base-[0-9].*[0-9]-arm64$'
		dpkg-deb --fsys-tarfile "$work"/linux-base-*.deb |
			tar --extract --directory "$work/trees" --wildcards --transform 's|.*/||' './usr/lib/*/broadcom/bcm27*-rpi-*.dtb' \
				'./usr/lib/*/broadcom/bcm2837-rpi-*.dtb'
		mkdir -p "$CACHE_DIR"
		mv "$work/trees" "$folder"
		rm -rf "$work"
	fi
	printf '%s\n' "$folder"
}

# fetch_package FOLDER SUITE ARCH PATTERN: downloads Debian's newest package with a matching name, for any architecture.
fetch_package() {
	local work=$1 suite=$2 arch=$3 pattern=$4 mirror package apt=(
		-o "Dir::State=$1/apt" -o "Dir::State::lists=$1/apt/lists" -o "Dir::State::status=$1/apt/status" -o "Dir::Cache=$1/apt"
		-o "Dir::Etc::sourcelist=$1/apt/sources.list" -o Dir::Etc::sourceparts=-
		-o "APT::Architecture=$3" -o "APT::Architectures=$3"
	)
	need_tools apt-get:apt dpkg-deb:dpkg
	mirror=${RUSHLIGHT_MIRROR:-$(host_mirror '^[a-z]+$')}
	[ -n "$mirror" ] || fail "no Debian mirror in apt's sources; set RUSHLIGHT_MIRROR"
	mkdir -p "$work/apt/lists/partial"
	# apt runs as a separate user.
	chmod 755 "$work"
	: > "$work/apt/status"
	printf 'deb [arch=%s signed-by=%s] %s %s main\n' "$arch" \
		/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$suite" > "$work/apt/sources.list"
	apt-get "${apt[@]}" update -q > "$work/apt/log" 2>&1 ||
		fail "the list of $suite could not be fetched: $(grep '^E:' "$work/apt/log" | head -n 1)"
	package=$(apt-cache "${apt[@]}" pkgnames linux- | grep -E "$pattern" | sort -V | tail -n 1)
	[ -n "$package" ] || fail "$suite has no package whose name fits $pattern"
	(cd "$work" && apt-get "${apt[@]}" download "$package") >> "$work/apt/log" 2>&1 || fail "$package could not be fetched"
}

# check_overlays FOLDER_OF_TREES FOLDER_OF_OVERLAYS: each of our overlays on each tree that has the header's label.
check_overlays() {
	local tree overlay scratch checked=0
	scratch=$(mktemp)
	for tree in "$1"/bcm27*-rpi-*.dtb; do
		[ -f "$tree" ] || continue
		fdtget "$tree" /__symbols__ gpio > /dev/null 2>&1 || { say "$(basename "$tree") does not name its header; not checked" && continue; }
		for overlay in "$SOURCE_DIR"/overlays/dt/*.dts; do
			fdtoverlay -i "$tree" -o "$scratch" "$2/$(basename "$overlay" .dts).dtbo" ||
				fail "$(basename "$overlay") does not fit $(basename "$tree")"
		done
		checked=$((checked + 1))
	done
	rm -f "$scratch"
	[ "$checked" -gt 0 ] || fail "no device tree in $1 to check the overlays against"
	say "the overlays fit $checked device trees"
}
