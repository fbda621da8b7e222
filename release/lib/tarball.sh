# shellcheck shell=bash
# The tarball that runs from any folder of a system with glibc.

# pack_tarball ARCH VERSION OUT WORK
pack_tarball() {
	local arch=$1 version=$2 out=$3 work=$4 name folder
	name=rushlight-$version-linux-$arch
	folder=$work/$name
	product_tree "$arch" "$version" "$folder" "${MADE_TREE:-}"
	install -m 755 "$RELEASE_DIR/tarball/rushlight" "$folder/rushlight"
	install -m 644 "$RELEASE_DIR/tarball/rushlight.toml" "$folder/rushlight.toml.example"
	same_times_and_modes "$folder"
	say "$name.tar.xz"
	# The same number of threads everywhere: the blocks, and so the bytes, depend on it.
	tar --create --sort=name --owner=0 --group=0 --numeric-owner --directory "$work" "$name" |
		xz --threads=2 "-${XZ_LEVEL:?}" > "$out/$name.tar.xz.new"
	mv "$out/$name.tar.xz.new" "$out/$name.tar.xz"
}
