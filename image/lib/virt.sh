# shellcheck shell=bash
# The virtual flavour: the boards' stage on Debian's packages, for QEMU.

build_virt() {
	local arch=$1 stage="$SOURCE_DIR/pi-gen-config/stage-rushlight" out work base key
	case $arch in amd64 | arm64) ;; *) fail "no virtual flavour for $arch" ;; esac
	virt_tools "$arch"
	built_pages
	out="$OUT_DIR/virt-$arch"
	RUSHLIGHT_SOURCE=$SOURCE_DIR
	RUSHLIGHT_PRODUCT=$(product_archive "$arch")
	base=$(base_tar "$arch" "$stage")
	key=$(hash_inputs "$RUSHLIGHT_PRODUCT" "$stage" "$SOURCE_DIR/overlays" "$IMAGE_DIR/lib" "$IMAGE_DIR/virt")-$(basename "$base" .tar)
	if [ -s "$out/disk.img" ] && [ "$(cat "$out/inputs" 2> /dev/null)" = "$key" ]; then
		say "$out/disk.img is up to date"
		cat "$out/sizes.txt"
		return
	fi
	[ "$(id -u)" -eq 0 ] || fail "building a root needs root; run: sudo $0 virt --arch $arch"

	mkdir -p "$out"
	rm -f "$out/inputs"
	work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" rushlight-image.XXXXXX)
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf --one-file-system '$work'" EXIT
	ROOTFS_DIR=$work/rootfs
	mkdir "$ROOTFS_DIR"
	say "unpacking the base root"
	tar --extract --file "$base" --directory "$ROOTFS_DIR" --xattrs --xattrs-include='*' --numeric-owner
	export ROOTFS_DIR RUSHLIGHT_SOURCE RUSHLIGHT_PRODUCT
	run_stage "$stage"
	source_times "$ROOTFS_DIR" # the initramfs takes files with their times
	virt_boot_files "$arch" "$work/boot"
	mkdir "$work/config"
	config_files "$work/config"
	say "making the root image"
	root_image "$ROOTFS_DIR" "$out/root.squashfs"
	say "assembling the disk"
	assemble_disk "$out/disk.img" "$work/config" "$work/boot" "$out/root.squashfs" "$work/disk"
	manifest "$ROOTFS_DIR" "$out/manifest.txt"
	report_sizes "$ROOTFS_DIR" "$out/root.squashfs" "$out/disk.img" "$VIRT_ROOT_BUDGET_MIB" | tee "$out/sizes.txt"
	printf '%s\n' "$key" > "$out/inputs"
	say "$out/disk.img"
}

virt_tools() {
	need_tools mmdebstrap:mmdebstrap mksquashfs:squashfs-tools sfdisk:fdisk mkfs.vfat:dosfstools mcopy:mtools \
		npm:npm make:make g++:g++ python3:python3 dtc:device-tree-compiler
	[ "$1" = "$(dpkg --print-architecture)" ] && return
	case $1 in
		arm64) need_tools aarch64-linux-gnu-g++:g++-aarch64-linux-gnu arch-test:arch-test qemu-aarch64-static:qemu-user-static ;;
		amd64) need_tools x86_64-linux-gnu-g++:g++-x86-64-linux-gnu arch-test:arch-test qemu-x86_64-static:qemu-user-static ;;
	esac
	foreign_programs "$1"
}

# foreign_programs ARCH: lets the kernel run them by qemu-user; Debian does that at startup, but not a container or a host
# without systemd.
foreign_programs() {
	arch-test "$1" > /dev/null 2>&1 && return
	local register=/proc/sys/fs/binfmt_misc/register name
	name=$(case $1 in arm64) echo aarch64 ;; amd64) echo x86_64 ;; esac)
	[ -e "$register" ] || mount -t binfmt_misc binfmt_misc "${register%/*}" 2> /dev/null || true
	cat "/usr/lib/binfmt.d/qemu-$name.conf" 2> /dev/null > "$register" || true
	arch-test "$1" > /dev/null 2>&1 || fail "this host runs no programs for $1 (binfmt_misc, qemu-user-static)"
}

# Kernel, initramfs and the boot firmware's files, as on a board, but with Debian's kernel.
virt_boot_files() {
	local arch=$1 boot=$2 version console
	mkdir -p "$boot"
	version=$(basename "$(find "$ROOTFS_DIR/usr/lib/modules" -mindepth 1 -maxdepth 1 -type d | sort -V | tail -n 1)")
	say "initramfs for $version"
	on_chroot -c "mkinitramfs -o /boot/initramfs '$version'" < /dev/null >&2
	cp "$ROOTFS_DIR/boot/vmlinuz-$version" "$boot/kernel.img"
	cp "$ROOTFS_DIR/boot/initramfs" "$boot/initramfs.img"
	case $arch in amd64) console=ttyS0 ;; arm64) console=ttyAMA0 ;; esac
	printf '[all]\narm_64bit=1\nkernel=kernel.img\ninitramfs initramfs.img followkernel\n' > "$boot/config.txt"
	compile_overlays "$boot/overlays"
	[ "$arch" != arm64 ] || check_overlays "$(dirname "$(find "$ROOTFS_DIR/usr/lib" -name bcm2711-rpi-4-b.dtb | head -n 1)")" "$boot/overlays"
	sed "s/@CONSOLE@/$console/" "$IMAGE_DIR/cmdline.txt" > "$boot/cmdline.txt"
}
