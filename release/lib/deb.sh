# shellcheck shell=bash
# Debian packages, made by dpkg-deb from trees.

MAINTAINER='Rushlight maintainers <rushlight@packages.invalid>'

# debian_version VERSION: a semantic version in a form that Debian sorts correctly: 1.0.0-rc.1 comes before 1.0.0.
debian_version() { printf '%s\n' "${1/-/\~}"; }

# finish_package FOLDER NAME VERSION OUT: the parts of every package (changelog, checksums), and the package itself.
finish_package() {
	local folder=$1 name=$2 version=$3 out=$4 doc=$1/usr/share/doc/$2 arch
	install -d "$doc"
	{
		printf '%s (%s) stable; urgency=medium\n\n' "$name" "$version"
		printf '  * Version %s. CHANGELOG.md in the sources lists the changes.\n' "$version"
		printf '\n -- %s  %s\n' "$MAINTAINER" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
	} | gzip -9n > "$doc/changelog.gz"
	sed -i "s/^Installed-Size:.*/Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$folder" | cut -f1)/" "$folder/DEBIAN/control"
	(cd "$folder" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) > "$folder/DEBIAN/md5sums"
	same_times_and_modes "$folder"
	arch=$(sed -n 's/^Architecture: //p' "$folder/DEBIAN/control")
	say "${name}_${version}_$arch.deb"
	dpkg-deb --root-owner-group -Zxz "-z${XZ_LEVEL:?}" --threads-max=2 --build "$folder" "$out/${name}_${version}_$arch.deb" > /dev/null
}

# pack_deb ARCH VERSION OUT WORK
pack_deb() {
	local arch=$1 version out=$3 folder=$4/deb files=$4/deb/usr/lib/rushlight glibc script
	version=$(debian_version "$2")
	product_tree "$arch" "$2" "$files" "${MADE_TREE:-}"
	install -d "$folder/DEBIAN" "$folder/usr/share/doc/rushlight" "$folder/usr/share/man/man1" "$folder/usr/share/lintian/overrides"
	mv "$files/THIRD-PARTY-LICENSES.txt" "$folder/usr/share/doc/rushlight/"
	rm -f "$files/LICENSE" "$files/README.md"
	install -m 644 "$RELEASE_DIR/deb/copyright" "$SOURCE_DIR/README.md" "$folder/usr/share/doc/rushlight/"
	gzip -9n < "$RELEASE_DIR/deb/rushlight.1" > "$folder/usr/share/man/man1/rushlight.1.gz"
	install -D -m 755 "$RELEASE_DIR/deb/rushlight.sh" "$folder/usr/bin/rushlight"
	install -D -m 644 "$RELEASE_DIR/deb/rushlight.service" "$folder/usr/lib/systemd/system/rushlight.service"
	install -D -m 644 "$RELEASE_DIR/deb/sysusers.conf" "$folder/usr/lib/sysusers.d/rushlight.conf"
	install -D -m 644 "$RELEASE_DIR/deb/rushlight.toml" "$folder/etc/rushlight/rushlight.toml"
	install -m 644 "$RELEASE_DIR/deb/lintian-overrides" "$folder/usr/share/lintian/overrides/rushlight"
	for script in preinst postinst prerm postrm; do install -m 755 "$RELEASE_DIR/deb/$script" "$folder/DEBIAN/$script"; done
	printf '/etc/rushlight/rushlight.toml\n' > "$folder/DEBIAN/conffiles"
	glibc=$(newest_glibc "$arch" "$files/bin/node" "$files/media/datapath/native/build/datapath.node")
	cat > "$folder/DEBIAN/control" <<- EOF2
		Package: rushlight
		Version: $version
		Architecture: $arch
		Maintainer: $MAINTAINER
		Installed-Size: 0
		Depends: libc6 (>= $glibc), libgcc-s1, libstdc++6 (>= 12), init-system-helpers (>= 1.54), passwd, systemd | systemd-standalone-sysusers, ffmpeg, fonts-dejavu-core, iproute2, v4l-utils
		Recommends: avahi-daemon, chrony, gpiod, udev
		Suggests: rpicam-apps
		Section: video
		Priority: optional
		Description: camera hub and lossless recorder
		 Rushlight turns Debian machines and Raspberry Pi boards into a camera system.
		 A hub shows all cameras in a browser with little delay, without encoding them
		 again. A camera records lossless masters and publishes H.264 to the hub.
		 .
		 This package runs either of them as a service. It has its own Node.js.
	EOF2
	finish_package "$folder" rushlight "$version" "$out"
}
