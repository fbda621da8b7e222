# shellcheck shell=bash
# The update bundle of a built image: its boot partition and root, signed with the keys that it trusts.

# build_bundle FLAVOUR ARCH OUT VERSION MINIMUM NOTES: a VERSION other than the image's own is for tests of updates: the root
# is packed again with it.
build_bundle() {
	local flavour=$1 arch=$2 out=$3 version=$4 minimum=$5 notes=$6
	local board disk work root own options=()
	case $flavour in
		virt) board=virt root=$OUT_DIR/virt-$arch/root.squashfs disk=$OUT_DIR/virt-$arch/disk.img ;;
		pi)
			# pi-gen's names begin with the date: the last one is the newest.
			board=raspberrypi arch=arm64
			root=$({ find "$OUT_DIR/pi" -maxdepth 1 -name '*.squashfs' 2> /dev/null || true; } | sort | tail -n 1)
			disk=${root%.squashfs}.img
			;;
		*) fail "no flavour $flavour; virt or pi" ;;
	esac
	if [ ! -s "$root" ] || [ ! -s "$disk" ]; then fail "there is no image yet; run: image/build $flavour"; fi
	need_tools rauc:rauc mksquashfs:squashfs-tools openssl:openssl
	work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" rushlight-bundle.XXXXXX)
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf --one-file-system '$work'" EXIT
	own=$(unsquashfs -cat "$root" usr/lib/rushlight/package.json | sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' | head -n 1)
	[ -n "$version" ] || version=$own
	if [ "$version" != "$own" ]; then
		[ "$(id -u)" -eq 0 ] || fail "packing a root again needs root"
		unsquashfs -quiet -no-progress -dest "$work/tree" "$root" > /dev/null
		sed -i "0,/\"version\": *\"[^\"]*\"/s//\"version\": \"$version\"/" "$work/tree/usr/lib/rushlight/package.json"
		root=$work/root.squashfs
		root_image "$work/tree" "$root"
	fi
	dd if="$disk" of="$work/boot.vfat" bs=1M skip="$BOOT_A_START" count="$BOOT_MIB" conv=sparse status=none
	[ -n "$out" ] || out=$OUT_DIR/rushlight-$board-$arch-$version.raucb
	[ -z "$minimum" ] || options+=(--minimum "$minimum")
	[ -z "$notes" ] || options+=(--notes "$notes")
	say "making the bundle"
	"$SOURCE_DIR/ota/bundle/make" --root "$root" --boot "$work/boot.vfat" --compatible "rushlight-$board-$arch" \
		--version "$version" --keys "${RUSHLIGHT_KEYS:-$CACHE_DIR/keys}" --out "$out" "${options[@]}"
}
