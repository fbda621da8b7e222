# shellcheck shell=bash
# Assembles the disk image without a loop device, a mount, or root: each file system is made as a file and copied to
# its place. The virtual flavour and pi-gen's export stage both use it.

mib() { echo $(($1 * 1048576)); }

# partition_table IMAGE: the MBR of layout.sh.
partition_table() {
	truncate -s "${DISK_MIB}M" "$1"
	sfdisk --quiet "$1" <<- EOF
		label: dos
		label-id: 0x$DISK_ID
		unit: sectors
		1 : start=${CONFIG_START}MiB, size=${CONFIG_MIB}MiB, type=c, bootable
		2 : start=${BOOT_A_START}MiB, size=${BOOT_MIB}MiB, type=c
		3 : start=${BOOT_B_START}MiB, size=${BOOT_MIB}MiB, type=c
		4 : start=${EXTENDED_START}MiB, type=f
		5 : start=${ROOT_A_START}MiB, size=${ROOT_MIB}MiB, type=83
		6 : start=${ROOT_B_START}MiB, size=${ROOT_MIB}MiB, type=83
		7 : start=${DATA_START}MiB, size=${DATA_MIB}MiB, type=da
	EOF
}

# mounts_in TREE: the mounts inside, the deepest first. /proc/mounts writes special characters in octal.
mounts_in() {
	local target
	awk -v tree="$(realpath "$1")/" 'index($2, tree) == 1 { print $2 }' /proc/mounts | sort -r | while read -r target; do
		printf '%b\n' "$target"
	done
}

# release_mounts TREE: unmounts everything inside; pi-gen leaves the host's /dev, /proc and /sys there.
release_mounts() {
	local target
	mounts_in "$1" | while read -r target; do umount "$target"; done
}

# source_times FOLDER: gives files that were checked out or made just now the time of the source, so that two builds of the
# same source make the same image.
source_times() {
	[ -n "${SOURCE_DATE_EPOCH:-}" ] || return 0
	local mounted
	mounted=$(mounts_in "$1")
	[ -z "$mounted" ] || fail "$mounted is mounted; its times are not ours to change"
	find "$1" -xdev -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

# fat_image FILE MIB LABEL FOLDER: a FAT32 with the folder's contents. The volume id comes from the label, so that the
# same input makes the same image.
fat_image() {
	local file=$1 size=$2 label=$3 folder=$4 entry
	rm -f "$file"
	source_times "$folder"
	truncate -s "${size}M" "$file"
	mkfs.vfat -F 32 -n "$label" -i "$(printf '%s' "$label" | sha256sum | cut -c1-8)" "$file" > /dev/null
	(
		cd "$folder" || exit
		for entry in *; do mcopy -s -m -i "$file" "$entry" ::/; done
	)
}

# root_image TREE FILE: the read-only root, with owners and times from the tree.
root_image() {
	local tree=$1 file=$2 order part
	rm -f "$file"
	source_times "$tree"
	# The product comes last: a change there does not move the blocks before it, and updates transfer only changed blocks.
	order=$(mktemp)
	for part in package.json common supervisor media ota; do
		[ ! -e "$tree/usr/lib/rushlight/$part" ] || printf 'usr/lib/rushlight/%s -32000\n' "$part"
	done > "$order"
	mksquashfs "$tree" "$file" -quiet -no-progress -comp zstd -Xcompression-level 15 -b 256K -xattrs \
		-processors "$(nproc)" -sort "$order" \
		-p '/boot/rushlight d 755 0 0' -p '/var/tmp d 1777 0 0' -p '/var/lib d 755 0 0' -p '/var/log d 755 0 0' \
		-wildcards -e 'proc/*' 'sys/*' 'dev/*' 'run/*' 'tmp/*' 'boot/*' 'var/*' 'etc/apt/*' 'etc/initramfs-tools/*' >&2
	rm -f "$order"
	local size
	size=$(stat -c %s "$file")
	[ "$size" -le "$(mib "$ROOT_MIB")" ] || fail "the root image has $((size / 1048576)) MiB; its slot has $ROOT_MIB"
}

# slot_cmdline TREE_CMDLINE SLOT: the kernel's command line for a slot; fills in @ROOT@ and @SLOT@.
slot_cmdline() {
	local number=5
	[ "$2" = B ] && number=6
	sed -e "s/@ROOT@/PARTUUID=$DISK_ID-0$number/" -e "s/@SLOT@/$2/" "$1"
}

# put IMAGE FILE START_MIB
put() { dd if="$2" of="$1" bs=1M seek="$3" conv=notrunc,sparse status=none; }

# assemble_disk OUT CONFIG_FOLDER BOOT_FOLDER ROOT_IMAGE WORK: both slots get the same system.
assemble_disk() {
	local out=$1 config=$2 boot=$3 root=$4 work=$5 slot start
	mkdir -p "$work"
	rm -f "$out"
	partition_table "$out"
	fat_image "$work/config.vfat" "$CONFIG_MIB" RUSHLIGHT "$config"
	put "$out" "$work/config.vfat" "$CONFIG_START"
	for slot in A B; do
		rm -rf "${work:?}/boot"
		cp -a "$boot" "$work/boot"
		slot_cmdline "$boot/cmdline.txt" "$slot" > "$work/boot/cmdline.txt"
		fat_image "$work/boot$slot.vfat" "$BOOT_MIB" "BOOT_$slot" "$work/boot"
		start=BOOT_${slot}_START
		put "$out" "$work/boot$slot.vfat" "${!start}"
		start=ROOT_${slot}_START
		put "$out" "$root" "${!start}"
	done
}
