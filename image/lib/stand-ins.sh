# shellcheck shell=bash
# For running pi-gen without Raspberry Pi's archive, or if an emulated arm64 takes too long: Debian's packages, and small
# packages in place of those that only Raspberry Pi's archive has. The resulting root and disk are checked, not booted.

# Names that pi-gen and our stages use.
STAND_IN_KERNELS=(rpi-v8 rpi-2712)

# stand_in_pi_gen PI_GEN ARCH WORK: prints a copy of pi-gen that builds for this architecture from those packages.
stand_in_pi_gen() {
	local pi_gen=$1 arch=$2 work=$3 copy="$3/pi-gen" mirror security packages
	packages=$(stand_in_packages "$arch")
	mirror=${RUSHLIGHT_MIRROR:-$(host_mirror '^[a-z]+$')}
	security=${RUSHLIGHT_SECURITY_MIRROR:-$(host_mirror '-security$')}
	mirror=${mirror:-http://deb.debian.org/debian}
	security=${security:-http://deb.debian.org/debian-security}
	mkdir -p "$copy"
	cp -r "$pi_gen"/{build.sh,depends,scripts,stage0,stage1} "$copy"
	sed -i "s/^export ARCH=.*/export ARCH=$arch/" "$copy/build.sh"
	sed -i "s/--arch [a-z0-9]*)/--arch $arch)/" "$copy/scripts/common"
	sed -i "s|http://deb.debian.org/debian/\$|$mirror|" "$copy/stage0/prerun.sh"
	sed -i -e "s|http://deb.debian.org/debian-security/|$security|" -e "s|http://deb.debian.org/debian/|$mirror|" \
		"$copy/stage0/00-configure-apt/files/debian.sources"
	printf 'Types: deb\nURIs: file:/var/lib/stand-ins\nSuites: ./\nTrusted: yes\n' > "$copy/stage0/00-configure-apt/files/raspi.sources"
	# The first step of the first stage: apt must find the packages in the root.
	sed -i "2i install -d \"\${ROOTFS_DIR}/var/lib\" \&\& cp -r '$packages' \"\${ROOTFS_DIR}/var/lib/stand-ins\"" \
		"$copy/stage0/00-configure-apt/00-run.sh"
	# Requested 32-bit emulation, which nothing here uses.
	sed -i '/^qemu-arm\b/d' "$copy/depends"
	# The version that it prints into the image; the copy has no history.
	git -C "$pi_gen" rev-parse HEAD > "$copy/hash" 2> /dev/null || echo unknown > "$copy/hash"
	printf '%s\n' "$copy"
}

# stand_in_packages ARCH: prints the folder with the packages and apt's list of them, built if it does not exist.
stand_in_packages() {
	local arch=$1 folder work kernel trees flavour
	folder="$CACHE_DIR/stand-ins-$arch-$(hash_inputs "$IMAGE_DIR/lib/stand-ins.sh" "$SOURCE_DIR/overlays/rootfs/etc/initramfs-tools/modules")"
	if [ ! -s "$folder/Packages" ]; then
		say "packages that stand in for Raspberry Pi's archive"
		trees=$(board_trees)
		work=$(mktemp -d)
		mkdir "$work/debs" "$work/kernel"
		fetch_package "$work" "$SUITE" "$arch" "^linux-image-[0-9][0-9.]*[+][a-z0-9.]*-$arch\$"
		dpkg-deb --extract "$work"/linux-image-*.deb "$work/kernel"
		[ -e "$work/kernel/lib" ] || ln -s usr/lib "$work/kernel/lib"
		kernel=$(basename "$(find "$work/kernel" -name modules.builtin -printf '%h\n')")
		for flavour in "${STAND_IN_KERNELS[@]}"; do
			stand_in_kernel "$work" "$arch" "$kernel" "${kernel%%[-+]*}+standin-$flavour" "$flavour" "$trees"
			stand_in "$work" "$arch" "linux-headers-$flavour"
		done
		stand_in_firmware "$work" "$arch"
		stand_in "$work" "$arch" raspberrypi-archive-keyring
		stand_in "$work" "$arch" raspi-config usr/bin/raspi-config
		stand_in "$work" "$arch" raspi-utils usr/bin/vcgencmd
		stand_in "$work" "$arch" rpicam-apps-lite usr/bin/rpicam-vid usr/bin/rpicam-still usr/bin/rpicam-hello
		package_list "$work/debs" > "$work/debs/Packages"
		chmod 755 "$work/debs"
		rm -rf "$CACHE_DIR/stand-ins-$arch"-*
		mv "$work/debs" "$folder"
		rm -rf "$work"
	fi
	printf '%s\n' "$folder"
}

# stand_in WORK ARCH NAME [PROGRAM…]: a package newer than any of Debian's with that name, with these programs, which do nothing; WORK/NAME may contain more.
stand_in() {
	local work=$1 arch=$2 name=$3 program root
	shift 3
	root="$work/$name"
	mkdir -p "$root/DEBIAN"
	for program in "$@"; do
		install -D -m 755 /dev/stdin "$root/$program" <<< $'#!/bin/sh\n# Stands in for a program of Raspberry Pi\'s archive.\nexit 0'
	done
	cat > "$root/DEBIAN/control" <<- EOF
		Package: $name
		Version: 99+standin
		Architecture: $arch
		Maintainer: Rushlight <noreply@invalid>
		Depends: ${STAND_IN_DEPENDS:-}
		Description: stands in for the package of Raspberry Pi's archive
	EOF
	sed -i '/^Depends: *$/d' "$root/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone --build "$root" "$work/debs/$name.deb" > /dev/null
}

# stand_in_kernel WORK ARCH KERNEL VERSION FLAVOUR TREES: Debian's kernel under another version, with the modules that the initramfs
# and updates need, and the trees where Raspberry Pi's hook expects them.
stand_in_kernel() {
	local work=$1 arch=$2 kernel=$3 version=$4 name="linux-image-$5" trees=$6 root from to path
	root="$work/$name"
	from=$(dirname "$(find "$work/kernel" -name modules.builtin)")
	to="$root/usr/lib/modules/$version"
	mkdir -p "$to" "$root/boot" "$root/usr/lib/linux-image-$version/broadcom" "$root/DEBIAN"
	cp "$from"/modules.{builtin,builtin.modinfo,order} "$to"
	# shellcheck disable=SC2046 # words
	modules_with_needed "$from" $(read_packages "$SOURCE_DIR/overlays/rootfs/etc/initramfs-tools/modules") \
		dm-verity loop nbd squashfs vfat ext4 exfat |
		while read -r path; do install -D -m 644 "$from/$path" "$to/$path"; done
	cp "$work/kernel/boot/vmlinuz-$kernel" "$root/boot/vmlinuz-$version"
	cp "$work/kernel/boot/config-$kernel" "$root/boot/config-$version"
	cp "$trees"/*.dtb "$root/usr/lib/linux-image-$version/broadcom"
	printf '#!/bin/sh\nset -e\ndepmod %s\nrun-parts --exit-on-error --arg=%s --arg=/boot/vmlinuz-%s /etc/kernel/postinst.d\n' \
		"$version" "$version" "$version" > "$root/DEBIAN/postinst"
	chmod 755 "$root/DEBIAN/postinst"
	STAND_IN_DEPENDS='kmod, initramfs-tools' stand_in "$work" "$arch" "$name"
}

# modules_with_needed FOLDER NAME…: files of these modules and their dependencies, from the folder's modules.dep; names without
# a file are built in, or not for this architecture.
modules_with_needed() {
	local from=$1
	shift
	# depmod looks below lib, which the caller made a link.
	[ -s "$from/modules.dep" ] || depmod --basedir "${from%/usr/lib/modules/*}" "$(basename "$from")"
	awk -v names="$(printf '%s\n' "$@" | tr - _ | paste -sd' ')" '
		BEGIN { count = split(names, list, " "); for (i = 1; i <= count; i++) wanted[list[i]] = 1 }
		{
			file = $1; sub(/:$/, "", file)
			name = file; sub(/.*\//, "", name); sub(/\.ko.*$/, "", name); gsub(/-/, "_", name)
			if (!(name in wanted)) next
			print file
			for (i = 2; i <= NF; i++) print $i
		}' "$from/modules.dep" | sort -u
}

# stand_in_firmware WORK ARCH: the boot files, and the hook that copies kernel, initramfs and trees beside them, like the real one.
stand_in_firmware() {
	local work=$1 arch=$2 root="$1/raspi-firmware" file hook
	for file in bootcode.bin start.elf start4.elf fixup.dat fixup4.dat; do
		install -D -m 644 /dev/stdin "$root/boot/firmware/$file" <<< "stands in for $file"
	done
	for hook in etc/kernel/postinst.d/z50-raspi-firmware etc/initramfs/post-update.d/z50-raspi-firmware; do
		install -D -m 755 /dev/stdin "$root/$hook" <<- 'EOF'
			#!/bin/sh
			# In place of raspi-firmware's hook: copies kernel, initramfs and trees of a version to the firmware's partition.
			set -e
			version=$1
			case $version in *-rpi-2712) suffix=_2712 ;; *) suffix=8 ;; esac
			mkdir -p /boot/firmware/overlays
			cp "/boot/vmlinuz-$version" "/boot/firmware/kernel$suffix.img"
			[ ! -e "/boot/initrd.img-$version" ] || cp "/boot/initrd.img-$version" "/boot/firmware/initramfs$suffix"
			cp "/usr/lib/linux-image-$version"/broadcom/*.dtb /boot/firmware/
		EOF
	done
	stand_in "$work" "$arch" raspi-firmware
}

# package_list FOLDER: apt's list of the packages in a folder.
package_list() {
	local deb
	for deb in "$1"/*.deb; do
		dpkg-deb --field "$deb"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$(basename "$deb")" "$(stat -c %s "$deb")" "$(sha256sum < "$deb" | cut -d' ' -f1)"
	done
}
