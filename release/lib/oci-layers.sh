# shellcheck shell=bash
# The layers of the container images, as tars: the rarely changing ones at the bottom.

# pack_oci_layers ARCH VERSION OUT WORK: OUT/{debian,node,modules,product,agent}.tar and OUT/packages.txt
pack_oci_layers() {
	local arch=$1 version=$2 out=$3 work=$4 files=$4/tree layer
	pack_oci_root "$arch" "$work" "$work"
	mv "$work/packages.txt" "$out/"
	layer_tar "$work/root" "$out/debian.tar"
	product_tree "$arch" "$version" "$files" "${MADE_TREE:-}"
	for layer in node modules product agent; do mkdir -p "$work/$layer/usr/lib/rushlight"; done
	mkdir "$work/node/usr/lib/rushlight/bin"
	mv "$files/bin/node" "$work/node/usr/lib/rushlight/bin/"
	rmdir "$files/bin"
	mv "$files/node_modules" "$work/modules/usr/lib/rushlight/"
	mv "$files"/* "$work/product/usr/lib/rushlight/"
	install -m 644 "$RELEASE_DIR/oci/healthcheck.mjs" "$work/product/usr/lib/rushlight/"
	install -D -m 644 "$RELEASE_DIR/oci/rushlight.toml" "$work/product/etc/rushlight/rushlight.toml"
	install -D -m 755 "$RELEASE_DIR/agent/rushlight-agent" "$work/agent/usr/bin/rushlight-agent"
	rmdir "$work/agent/usr/lib/rushlight"
	bundle_agent "$work/agent/usr/lib/rushlight-agent"
	for layer in node modules product agent; do
		same_times_and_modes "$work/$layer"
		layer_tar "$work/$layer" "$out/$layer.tar"
	done
}

# layer_tar FOLDER FILE: everything belongs to root, except the data folder.
layer_tar() {
	local folder=$1 file=$2 entries=()
	mapfile -t entries < <(cd "$folder" && find . -mindepth 1 -maxdepth 1 ! -name data -printf '%P\n' | LC_ALL=C sort)
	tar --create --file "$file" --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --directory "$folder" "${entries[@]}"
	[ ! -d "$folder/data" ] ||
		tar --append --file "$file" --format=gnu --owner=10001 --group=10001 --numeric-owner --directory "$folder" data
}
