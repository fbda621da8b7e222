# shellcheck shell=bash
# Device trees of boards, for the test of the overlays: of Debian's kernel for arm64, whose package is a small download.
# Raspberry Pi's own are in the boards' image alone, where the export checks the overlays against them.

# board_trees: prints the folder with the trees, fetched where it is not there.
board_trees() {
	local folder="$CACHE_DIR/board-trees" work mirror
	if [ ! -d "$folder" ]; then
		need_tools apt-get:apt dpkg-deb:dpkg
		mirror=${RUSHLIGHT_MIRROR:-$(host_mirror '^[a-z]+$')}
		[ -n "$mirror" ] || fail "no Debian mirror in apt's sources; set RUSHLIGHT_MIRROR"
		work=$(mktemp -d)
		# apt runs as a user of its own.
		chmod 755 "$work"
		fetch_trees "$work" "$mirror" ||
			fail "the device trees could not be fetched; see $work/log"
		mv "$work/trees" "$folder"
		rm -rf "$work"
	fi
	printf '%s\n' "$folder"
}

# fetch_trees WORK MIRROR: the newest kernel's, of the suite's backports: since Linux 7 the trees have a package.
fetch_trees() {
	local work=$1 mirror=$2 package apt=(
		-o "Dir::State=$1" -o "Dir::State::lists=$1/lists" -o "Dir::State::status=$1/status" -o "Dir::Cache=$1"
		-o "Dir::Etc::sourcelist=$1/sources.list" -o Dir::Etc::sourceparts=-
		-o APT::Architecture=arm64 -o APT::Architectures=arm64
	)
	mkdir -p "$work/lists/partial" "$work/trees"
	: > "$work/status"
	printf 'deb [arch=arm64 signed-by=%s] %s %s-backports main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$SUITE" > "$work/sources.list"
	say "fetching the device trees of Debian's kernel"
	apt-get "${apt[@]}" update -q > "$work/log" 2>&1 || return 1
	package=$(apt-cache "${apt[@]}" pkgnames linux-base- | grep -E '^linux-base-[0-9].*[0-9]-arm64$' | sort -V | tail -n 1)
	(cd "$work" && apt-get "${apt[@]}" download "$package") >> "$work/log" 2>&1 || return 1
	dpkg-deb --fsys-tarfile "$work"/linux-base-*.deb |
		tar --extract --directory "$work/trees" --wildcards --transform 's|.*/||' './usr/lib/*/broadcom/bcm27*-rpi-*.dtb' \
			'./usr/lib/*/broadcom/bcm2837-rpi-*.dtb'
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
