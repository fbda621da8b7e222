# shellcheck shell=bash
# A root for running the tests in: the packages of the image, in the versions the image has, and what the tests need beside.

# The npm that tests start the product with. Node.js itself is the one among the packages of the clone, as on the image.
TEST_ROOT_NPM=11.21.2

# test_root ARCH PACKAGE… : prints the path of the tar, made where it is not there. The packages are what the tests need.
test_root() {
	local arch=$1 stage="$SOURCE_DIR/pi-gen-config/stage-rushlight" list lists=("$IMAGE_DIR/virt/base-packages")
	shift
	local excludes="$stage/00-dpkg/files/dpkg-excludes" packages key tar
	# What only boards have comes from Raspberry Pi's archive, and is played by the tests.
	for list in "$stage"/*/[0-9][0-9]-packages-nr "$stage"/*/[0-9][0-9]-packages; do
		[ -f "$list" ] && lists+=("$list")
	done
	packages=$({ read_packages "${lists[@]}" && printf '%s\n' "$@"; } | sort -u | paste -sd,)
	key=$(printf '%s\n' "$packages" | hash_inputs /dev/stdin "$excludes" "$IMAGE_DIR/lib/base.sh" "$IMAGE_DIR/lib/test-root.sh")
	tar="$CACHE_DIR/test-root-$SUITE-$arch-$key.tar"
	if [ ! -s "$tar" ]; then
		need_tools mmdebstrap:mmdebstrap npm:npm
		# An older one of another list is no use any more.
		rm -f "$CACHE_DIR/test-root-$SUITE-$arch"-*
		local npm
		npm=$(mktemp -d)
		(cd "$npm" && npm pack --silent "npm@$TEST_ROOT_NPM" > /dev/null && tar -xzf ./*.tgz) ||
			fail "npm could not be fetched"
		# shellcheck disable=SC2016 # $1 is the hook's
		NPM_PACKAGE="$npm/package" debian_tar "$arch" "$excludes" "$tar" "$packages" \
			--customize-hook='mkdir -p "$1/usr/local/lib/node_modules" && cp -r "$NPM_PACKAGE" "$1/usr/local/lib/node_modules/npm" &&
				chmod 755 "$1/usr/local/lib/node_modules/npm/bin/npm-cli.js" &&
				ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"'
		rm -rf "$npm"
	fi
	printf '%s\n' "$tar"
}
