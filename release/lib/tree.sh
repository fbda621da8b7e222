# shellcheck shell=bash
# The product as installed outside the image.

# product_tree ARCH VERSION FOLDER [TREE]: the archive that the image's stage unpacks, without image-only parts; or a copy
# of a tree that this made before.
product_tree() {
	local arch=$1 version=$2 folder=$3 made=${4:-} archive
	mkdir -p "$folder"
	if [ -n "$made" ]; then
		cp -a "$made/." "$folder/"
	else
		cross_tools "$arch"
		built_pages
		archive=$(product_archive "$arch")
		tar --extract --file "$archive" --directory "$folder" --no-same-owner
		rm -rf "$folder/image" "$folder/bin/rushlight"
		trim_modules "$arch" "$folder/node_modules"
		third_party_licences "$folder" "$(node_package "$arch")" > "$folder/THIRD-PARTY-LICENSES.txt"
	fi
	sed -i "0,/\"version\": *\"[^\"]*\"/s//\"version\": \"$version\"/" "$folder/package.json"
	same_times_and_modes "$folder"
}

# trim_modules ARCH FOLDER: removes files for the modules' own developers; nothing in them is started as a program.
trim_modules() {
	local arch=$1 modules=$2
	find "$modules" -mindepth 2 -name '.*' -prune -exec rm -rf {} +
	find "$modules" -type d \( -name benchmarks -o -name obj.target \) -prune -exec rm -rf {} +
	find "$modules" -type f -name '*.html' -delete
	rm -rf "$modules/nan" "$modules"/.[!.]*
	find "$modules" -type f -name '*.node' -exec "$(tool_prefix "$arch")strip" --strip-unneeded {} +
	find "$modules" -type f -exec chmod a-x {} +
}

# What a tree for another processor needs beyond that of this machine.
cross_tools() {
	need_tools npm:npm make:make g++:g++ python3:python3 xz:xz-utils
	[ "$1" = "$(dpkg --print-architecture)" ] || case $1 in
		arm64) need_tools aarch64-linux-gnu-g++:g++-aarch64-linux-gnu ;;
		amd64) need_tools x86_64-linux-gnu-g++:g++-x86-64-linux-gnu ;;
	esac
}

# same_times_and_modes FOLDER: two builds of the same sources make the same files, whatever the umask.
same_times_and_modes() {
	chmod -R u=rwX,go=rX "$1"
	find "$1" -name '*.node' -type f -exec chmod a-x {} +
	find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

# third_party_licences FOLDER NODE_PACKAGE: the licence texts of Node.js and of every module in the tree.
third_party_licences() {
	release_node third-party.ts "$1/node_modules" "$2/LICENSE"
}

# release_node SCRIPT ARGUMENT…: runs a script of release/sbom with the packed Node.js, as the machine's own may be too old.
release_node() {
	local script=$1
	shift
	"$(node_package "$(dpkg --print-architecture)")/bin/node" "$RELEASE_DIR/sbom/$script" "$@"
}

# newest_glibc ARCH FILE…: the newest version of glibc that the programs require.
newest_glibc() {
	local prefix
	prefix=$(tool_prefix "$1")
	shift
	"${prefix}objdump" --dynamic-syms "$@" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -n 1
}
