# shellcheck shell=bash
# The update bundle of an image that was built: its boot partition and root, signed with the keys that it trusts.

# build_bundle ARCH OUT VERSION MINIMUM NOTES: VERSION other than the image's own is for tests of updates: the root is
# packed anew with it.
build_bundle() {
	local arch=$1 out=$2 version=$3 minimum=$4 notes=$5
	local built="$OUT_DIR/virt-$arch" work root own options=()
	[ -s "$built/disk.img" ] || fail "there is no image yet; run: image/build virt --arch $arch"
	need_tools rauc:rauc mksquashfs:squashfs-tools openssl:openssl
	work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" rushlight-bundle.XXXXXX)
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf --one-file-system '$work'" EXIT
	root=$built/root.squashfs
	own=$(unsquashfs -cat "$root" usr/lib/rushlight/package.json | sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' | head -n 1)
	[ -n "$version" ] || version=$own
	if [ "$version" != "$own" ]; then
		[ "$(id -u)" -eq 0 ] || fail "packing a root anew needs root"
		unsquashfs -quiet -no-progress -dest "$work/tree" "$root" > /dev/null
		sed -i "0,/\"version\": *\"[^\"]*\"/s//\"version\": \"$version\"/" "$work/tree/usr/lib/rushlight/package.json"
		root=$work/root.squashfs
		root_image "$work/tree" "$root"
	fi
	dd if="$built/disk.img" of="$work/boot.vfat" bs=1M skip="$BOOT_A_START" count="$BOOT_MIB" conv=sparse status=none
	[ -n "$out" ] || out=$OUT_DIR/rushlight-virt-$arch-$version.raucb
	[ -z "$minimum" ] || options+=(--minimum "$minimum")
	[ -z "$notes" ] || options+=(--notes "$notes")
	say "making the bundle"
	"$SOURCE_DIR/ota/bundle/make" --root "$root" --boot "$work/boot.vfat" --compatible "rushlight-virt-$arch" \
		--version "$version" --keys "${RUSHLIGHT_KEYS:-$CACHE_DIR/keys}" --out "$out" "${options[@]}"
}
