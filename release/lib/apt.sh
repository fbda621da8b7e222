# shellcheck shell=bash
# A signed APT repository, by reprepro.

# pack_apt OUT WORK PACKAGE…: OUT is what a web server publishes.
pack_apt() {
	local out=$1 work=$2 number
	shift 2
	[ $# -gt 0 ] || fail "no packages for the repository; name them"
	need_tools reprepro:reprepro gpg:gpg
	release_keys
	number=$(cat "$KEYS_DIR/current")
	mkdir -p "$work/conf"
	cat > "$work/conf/distributions" <<- EOF2
		Origin: Rushlight
		Label: Rushlight
		Suite: stable
		Codename: stable
		Architectures: amd64 arm64
		Components: main
		Description: Rushlight for Debian 13 and Raspberry Pi OS
		SignWith: $(cat "$KEYS_DIR/apt-$number.fingerprint")
	EOF2
	rm -rf "$out/dists" "$out/pool"
	GNUPGHOME=$KEYS_DIR/gnupg reprepro --silent --basedir "$work" --outdir "$out" includedeb stable "$@" ||
		fail "the repository could not be made; see above"
	public_keyring "$out/rushlight-archive-keyring.pgp"
	say "$(find "$out/pool" -name '*.deb' | wc -l) packages in $out"
}
