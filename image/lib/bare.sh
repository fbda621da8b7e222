# shellcheck shell=bash
# shellcheck disable=SC2153,SC2034 # DISK_ID is in layout.sh; DISK_MIB is read by partition_table
# Debian without the product, as a baseline for the rig: the same base root, kernel and kind of disk, Debian's own services
# and settings, an ordinary writable root.

# build_bare ARCH: image/out/bare-<arch>/disk.img, built if it does not exist.
build_bare() {
	local arch=$1 stage="$SOURCE_DIR/pi-gen-config/stage-rushlight" out="$OUT_DIR/bare-$1" base key work
	virt_tools "$arch"
	base=$(base_tar "$arch" "$stage")
	key=$(hash_inputs "$IMAGE_DIR/lib" "$SOURCE_DIR/overlays/rootfs/etc/initramfs-tools/modules")-$(basename "$base" .tar)
	if [ -s "$out/disk.img" ] && [ "$(cat "$out/inputs" 2> /dev/null)" = "$key" ]; then
		say "$out/disk.img is up to date"
		return
	fi
	[ "$(id -u)" -eq 0 ] || fail "building a root needs root; run: sudo $0 bare --arch $arch"
	mkdir -p "$out"
	rm -f "$out/inputs"
	work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" rushlight-bare.XXXXXX)
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf --one-file-system '$work'" EXIT
	export ROOTFS_DIR=$work/rootfs
	mkdir "$ROOTFS_DIR" "$work/config"
	tar --extract --file "$base" --directory "$ROOTFS_DIR" --xattrs --xattrs-include='*' --numeric-owner
	bare_settings "$work/boot" "$arch"
	cp "$IMAGE_DIR/autoboot.txt" "$work/config/autoboot.txt"
	say "assembling the disk"
	bare_disk "$out/disk.img" "$work"
	printf '%s\n' "$key" > "$out/inputs"
	say "$out/disk.img"
}

# What Debian's installer would have written, and the boot partition; the initramfs with the same drivers as ours.
bare_settings() {
	local boot=$1 arch=$2
	echo bare > "$ROOTFS_DIR/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 bare\n' > "$ROOTFS_DIR/etc/hosts"
	printf 'PARTUUID=%s-07 / ext4 defaults 0 1\n' "$DISK_ID" > "$ROOTFS_DIR/etc/fstab"
	# Without one this would count as a first boot, and ask for a time zone.
	echo 62617265626172656261726562617265 > "$ROOTFS_DIR/etc/machine-id"
	# Our initramfs has no ext4 there: its root uses another format.
	{
		cat "$SOURCE_DIR/overlays/rootfs/etc/initramfs-tools/modules"
		echo ext4
	} > "$ROOTFS_DIR/etc/initramfs-tools/modules"
	printf 'MODULES=list\nCOMPRESS=zstd\nRESUME=none\nFSTYPE=ext4\n' > "$ROOTFS_DIR/etc/initramfs-tools/conf.d/bare"
	virt_boot_files "$arch" "$boot"
	sed -i -e 's/ rootfstype=[^ ]*/ rootfstype=ext4/' -e "s/@ROOT@/PARTUUID=$DISK_ID-07/" -e 's/ rauc.slot=[^ ]*//' "$boot/cmdline.txt"
	rm -rf "$ROOTFS_DIR/boot/initramfs"
}

# bare_disk OUT WORK: like ours, with the root in place of our data partition.
bare_disk() {
	local out=$1 work=$2 DATA_MIB=1536
	local DISK_MIB=$((DATA_START + DATA_MIB + ALIGN_MIB))
	rm -f "$out"
	partition_table "$out"
	sfdisk --quiet --part-type "$out" 7 83
	fat_image "$work/config.vfat" "$CONFIG_MIB" RUSHLIGHT "$work/config"
	put "$out" "$work/config.vfat" "$CONFIG_START"
	fat_image "$work/boot.vfat" "$BOOT_MIB" BOOT_A "$work/boot"
	put "$out" "$work/boot.vfat" "$BOOT_A_START"
	mke2fs -q -t ext4 -L bare -d "$ROOTFS_DIR" "$work/root.ext4" "${DATA_MIB}M" > /dev/null
	put "$out" "$work/root.ext4" "$DATA_START"
}
