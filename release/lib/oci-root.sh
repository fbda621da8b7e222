# shellcheck shell=bash
# The Debian part of the container image: the programs that the product runs and their libraries, nothing
# else. Packages are unpacked, not installed, so the root for any processor is made here without running it.

OCI_PACKAGES=base-files,coreutils,dash,ffmpeg,fonts-dejavu-core,grep,iproute2,libatomic1,libgcc-s1,libstdc++6,tini,util-linux,v4l-utils
OCI_PROGRAMS='cat dash fallocate ffmpeg ffprobe grep ionice ip mkfifo nice sha256sum tini v4l2-ctl'

# pack_oci_root ARCH OUT WORK: OUT/root, and OUT/packages.txt with the Debian packages in it.
pack_oci_root() {
	local arch=$1 out=$2 work=$3 root=$2/root key tar
	need_tools mmdebstrap:mmdebstrap readelf:binutils
	key=$(hash_inputs "$RELEASE_DIR/lib/oci-root.sh" "$RELEASE_DIR/oci/needed.ts")
	tar=$CACHE_DIR/oci-root-$arch-$key.tar
	if [ ! -s "$tar" ]; then
		unpack_debian "$arch" "$work/root"
		keep_needed "$arch" "$work/root"
		forget_packages "$work/root"
		package_manifest "$work/root" > "$work/packages.txt"
		tar --create --file "$tar.new" --sort=name --owner=0 --group=0 --numeric-owner --directory "$work" root packages.txt
		mv "$tar.new" "$tar"
	fi
	rm -rf "$root" "$out/packages.txt"
	tar --extract --file "$tar" --directory "$out" --no-same-owner
	same_times_and_modes "$root"
}

# unpack_debian ARCH ROOT
unpack_debian() {
	local arch=$1 root=$2 hook
	# One file for each package, where scanners of images look for them.
	# shellcheck disable=SC2016 # $1 is the hook's
	hook='mkdir -p "$1/var/lib/dpkg/status.d" && for deb in "$1"/var/cache/apt/archives/*.deb; do
		name=$(dpkg-deb --field "$deb" Package) &&
		dpkg-deb --field "$deb" > "$1/var/lib/dpkg/status.d/$name" &&
		dpkg-deb --fsys-tarfile "$deb" | tar --list | grep -v "^./usr/share/doc/\|/$" > "$1/var/lib/dpkg/status.d/$name.files" ||
		true; done'
	say "Debian's programs for the container, $arch"
	mkdir -p "$CACHE_DIR"
	base_sources "$SUITE" > "$root.sources"
	mmdebstrap --variant=extract --architectures="$arch" --include="$OCI_PACKAGES" --aptopt='Acquire::Retries "3"' \
		--extract-hook="$hook" --skip=download/empty "$SUITE" "$root" - < "$root.sources" > "$root.log" 2>&1 || {
		tail -n 20 "$root.log" >&2
		fail "the root could not be unpacked"
	}
}

# package_manifest ROOT: name, version, architecture, source of every package in a root.
package_manifest() {
	local file
	for file in "$1"/var/lib/dpkg/status.d/*; do
		awk -F': ' '{ field[$1] = $2 } END {
			print field["Package"], field["Version"], field["Architecture"], (("Source" in field) ? field["Source"] : field["Package"]) }' "$file"
	done | LC_ALL=C sort
}

# forget_packages ROOT: removes packages without any file left, so that nobody looks for their vulnerabilities here.
forget_packages() {
	local root=$1 list name file left
	for list in "$root"/var/lib/dpkg/status.d/*.files; do
		name=$(basename "$list" .files)
		left=
		while read -r file; do
			if [ -e "$root/$file" ] || [ -L "$root/$file" ]; then left=yes && break; fi
		done < "$list"
		rm "$list"
		[ -n "$left" ] || rm -rf "$root/var/lib/dpkg/status.d/$name" "$root/usr/share/doc/$name"
	done
}

# keep_needed ARCH ROOT: keeps programs, their libraries, fonts and licences; removes the rest.
keep_needed() {
	local arch=$1 root=$2 triplet program programs=() folder library kept
	triplet=$(case $arch in amd64) echo x86_64-linux-gnu ;; arm64) echo aarch64-linux-gnu ;; esac)
	# An installation would make alternatives of the first two; the libraries find the third by its path.
	for folder in blas lapack pulseaudio; do
		for library in "$root/usr/lib/$triplet/$folder"/*.so*; do
			[ ! -e "$library" ] || ln -sf "$folder/${library##*/}" "$root/usr/lib/$triplet/${library##*/}"
		done
	done
	mv "$root/usr/bin" "$root/usr/all"
	mkdir "$root/usr/bin"
	for program in $OCI_PROGRAMS; do
		mv "$root/usr/all/$program" "$root/usr/bin/"
		programs+=("$root/usr/bin/$program")
	done
	ln -s dash "$root/usr/bin/sh"
	rm -rf "${root:?}/usr/all" "${root:?}"/usr/{sbin,games,include,libexec,local,src} "${root:?}"/var/{cache,log,lib/apt}
	kept=$(mktemp -d)
	mv "$root/usr/share"/{doc,fonts} "$kept/"
	rm -rf "${root:?}/usr/share" "${root:?}"/usr/lib/{systemd,udev,tmpfiles.d,sysusers.d} "${root:?}/etc"
	mkdir "$root/usr/share" "$root/etc"
	mv "$kept"/* "$root/usr/share/"
	rmdir "$kept"
	find "$root/usr/share/doc" -type f ! -name copyright -delete
	# These packages provide the C and C++ runtime libraries of the product's own programs.
	programs+=("$(node_package "$arch")/bin/node")
	"$(node_package "$(dpkg --print-architecture)")/bin/node" "$RELEASE_DIR/oci/needed.ts" "$root" "${programs[@]}" |
		tr '\n' '\0' | xargs -0 -r rm -f
	find "$root/usr/lib" -depth \( -name gconv -o -name perl-base -o -name dri \) -exec rm -rf {} +
	find "$root" -xtype l -delete
	find "$root/usr" -depth -type d -empty -delete
	printf 'root:x:0:0:root:/root:/usr/sbin/nologin\nrushlight:x:10001:10001:Rushlight:/data:/usr/sbin/nologin\n' > "$root/etc/passwd"
	printf 'root:x:0:\nrushlight:x:10001:\n' > "$root/etc/group"
	printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
	printf 'PRETTY_NAME="Rushlight on Debian 13"\nID=debian\nVERSION_ID=13\nVERSION_CODENAME=%s\n' "$SUITE" > "$root/etc/os-release"
	mkdir -p "$root"/{data,dev,proc,sys,run,tmp,etc/rushlight,media}
}
