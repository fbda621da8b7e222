# shellcheck shell=bash
# Packs the product for a target: sources, built pages, production modules, Node from npm.

node_package_arch() { case $1 in amd64) echo x64 ;; arm64) echo arm64 ;; *) fail "no Node for architecture $1" ;; esac; }

# What runs on the device: everything in the product's folders except tests, fakes and sources of the pages.
product_sources() {
	(
		cd "$SOURCE_DIR" || exit
		local folders=() path
		for path in package.json package-lock.json LICENSE README.md common supervisor media ota image/provision; do
			[ ! -e "$path" ] || folders+=("$path")
		done
		find "${folders[@]}" \
			\( -path supervisor/web -o -path '*/node_modules' -o -path '*/fixtures' \
			-o -path '*/testing' -o -path media/bench -o -path 'media/datapath/native/[bst]*' \) -prune -o \
			-type f ! -name '*.test.ts' ! -name '*.fake.ts' ! -name '*.e2e.ts' -print
		find supervisor/web/dist -type f
	) | LC_ALL=C sort
}

# built_pages: builds the web pages if they are missing or older than their sources. With sudo, as the owner of the clone.
built_pages() {
	local as=()
	if ! command -v node > /dev/null; then
		[ -d "$SOURCE_DIR/supervisor/web/dist" ] ||
			fail "the pages are not built, and root finds no Node.js to do it; run this first: npm run pages"
		return 0
	fi
	if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then as=(runuser -u "$SUDO_USER" -- env "PATH=$PATH"); fi
	(cd "$SOURCE_DIR" && "${as[@]}" node scripts/pages.mjs) >&2 || fail "the pages could not be built; see above"
}

# node_package ARCH: prints the folder of Node's npm package (bin/node, include/) in the version pinned in package.json.
node_package() {
	local arch=$1 version package cached work
	version=$(sed -n 's/^ *"node": "\([0-9][0-9.]*\)".*/\1/p' "$SOURCE_DIR/package.json")
	package="node-linux-$(node_package_arch "$arch")@$version"
	cached="$CACHE_DIR/node-$arch-$version"
	if [ ! -x "$cached/bin/node" ]; then
		say "fetching $package"
		mkdir -p "$CACHE_DIR"
		work=$(mktemp -d)
		(cd "$work" && npm pack --silent "$package" > /dev/null && tar -xzf ./*.tgz)
		rm -rf "$cached"
		mv "$work/package" "$cached"
		rm -rf "$work"
		chmod 755 "$cached/bin/node"
	fi
	printf '%s\n' "$cached"
}

# production_modules ARCH DEST: the modules from package-lock.json for the target, without scripts; then the native ones.
production_modules() {
	local arch=$1 dest=$2 key cached
	key=$(hash_inputs "$SOURCE_DIR/package.json" "$SOURCE_DIR/package-lock.json" "$IMAGE_DIR/lib/product.sh")
	cached="$CACHE_DIR/modules-$arch-$key.tar"
	if [ ! -s "$cached" ]; then
		say "installing the production modules for $arch"
		local work
		work=$(mktemp -d)
		cp "$SOURCE_DIR/package.json" "$SOURCE_DIR/package-lock.json" "$work"
		[ ! -f "$SOURCE_DIR/.npmrc" ] || cp "$SOURCE_DIR/.npmrc" "$work"
		(cd "$work" && npm ci --omit=dev --ignore-scripts --os=linux --cpu="$(node_package_arch "$arch")" --libc=glibc --loglevel=error >&2)
		native_modules "$arch" "$work"
		# Node loads no TypeScript from node_modules, so none of it is needed. Licences have to stay with their modules.
		find "$work/node_modules" ! -iname 'licen[cs]e*' \( -name '*.md' -o -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) \
			-type f -delete
		find "$work/node_modules" -type d \( -name test -o -name tests -o -name docs -o -name examples \) -prune -exec rm -rf {} +
		tar --create --file "$cached.new" --sort=name --owner=0 --group=0 --directory "$work" node_modules
		mv "$cached.new" "$cached"
		rm -rf "$work"
	fi
	tar --extract --file "$cached" --directory "$dest"
}

# Prefix of the cross tools for a target; none if it is the host.
tool_prefix() {
	[ "$1" != "$(dpkg --print-architecture)" ] || return 0
	case $1 in arm64) echo aarch64-linux-gnu- ;; amd64) echo x86_64-linux-gnu- ;; esac
}

# Add-ons that npm would have built: for the target's processor, against the headers of the Node that runs them.
native_modules() {
	local arch=$1 work=$2 headers prefix
	[ -d "$work/node_modules/epoll" ] || return 0
	headers=$(node_package "$arch")
	prefix=$(tool_prefix "$arch")
	[ -f "$headers/include/node/node.h" ] || fail "no Node headers in $headers"
	(
		cd "$work" || exit
		export CC="${prefix}gcc" CXX="${prefix}g++"
		npm rebuild epoll --nodedir="$headers" --arch="$(node_package_arch "$arch")" --loglevel=error >&2
		cd node_modules/epoll || exit
		[ -f build/Release/epoll.node ] || fail "the GPIO add-on was not built"
		find build -type f ! -name '*.node' -delete
	)
}

# The native datapath for the target's processor, against the headers of the Node that loads it; kept, as it takes minutes.
native_datapath() {
	local arch=$1 work=$2 native="$SOURCE_DIR/media/datapath/native" prefix node key cached
	prefix=$(tool_prefix "$arch")
	node=$(node_package "$arch")
	key=$(printf '%s\n' "$(hash_inputs "$native/src" "$native/build.sh")" "${node##*/}" "${CXXFLAGS:-}" "$("${prefix}g++" --version)" | sha256sum | cut -c1-16)
	cached="$CACHE_DIR/datapath-$arch-$key.node"
	if [ ! -s "$cached" ]; then
		say "compiling the native datapath for $arch"
		CXX="${prefix}g++" "$native/build.sh" "$node/include/node" "$cached.new" >&2
		"${prefix}strip" --strip-unneeded "$cached.new"
		mv "$cached.new" "$cached"
	fi
	install -D -m 644 "$cached" "$work/media/datapath/native/build/datapath.node"
}

# product_archive ARCH: prints the path of the product's tar for the stage.
product_archive() {
	local arch=$1 work tar
	work=$(mktemp -d)
	(cd "$SOURCE_DIR" && product_sources | tar --create --files-from=- | tar --extract --directory "$work")
	production_modules "$arch" "$work"
	native_datapath "$arch" "$work"
	install -D -m 755 "$(node_package "$arch")/bin/node" "$work/bin/node"
	# Symbols that add-ons link to stay; the others are for debuggers.
	"$(tool_prefix "$arch")strip" --strip-unneeded "$work/bin/node"
	printf '#!/bin/sh\nexec /usr/lib/rushlight/bin/node /usr/lib/rushlight/supervisor/cli/rushlight.ts "$@"\n' > "$work/bin/rushlight"
	chmod 755 "$work/bin/rushlight"
	chmod 755 "$work"
	tar="$CACHE_DIR/product-$arch.tar"
	tar --create --file "$tar.new" --sort=name --owner=0 --group=0 --directory "$work" .
	mv "$tar.new" "$tar"
	rm -rf "$work"
	printf '%s\n' "$tar"
}
