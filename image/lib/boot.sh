# shellcheck shell=bash
# The files on the FAT partitions beside the kernel.

# compile_overlays FOLDER: our device-tree overlays, as config.txt names them.
compile_overlays() {
	local source
	mkdir -p "$1"
	for source in "$SOURCE_DIR"/overlays/dt/*.dts; do
		dtc -@ -I dts -O dtb -o "$1/$(basename "$source" .dts).dtbo" "$source"
	done
}

# config_files FOLDER: partition 1 as shipped: slot A first, and the settings file with its comments.
config_files() {
	cp "$IMAGE_DIR/autoboot.txt" "$1/autoboot.txt"
	cp "$IMAGE_DIR/rushlight.toml" "$1/rushlight.toml"
}
