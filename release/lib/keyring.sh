# shellcheck shell=bash
# The public keys of the APT repository, as a package: a new key reaches machines before it is used.

# release_keys: makes the keys of this checkout, if there are none.
release_keys() {
	need_tools minisign:minisign gpg:gpg gpg-agent:gpg-agent
	[ -s "$KEYS_DIR/current" ] || "$RELEASE_DIR/keys" init "$KEYS_DIR"
}

# public_keyring FILE: all keys, for Signed-By.
public_keyring() {
	GNUPGHOME=$KEYS_DIR/gnupg gpg --batch --quiet --export > "$1"
	GNUPGHOME=$KEYS_DIR/gnupg gpgconf --kill all
}

# pack_keyring VERSION OUT WORK
pack_keyring() {
	local version out=$2 folder=$3/keyring name=rushlight-archive-keyring
	version=$(debian_version "$1")
	release_keys
	install -d "$folder/DEBIAN" "$folder/usr/share/keyrings" "$folder/usr/share/doc/$name"
	public_keyring "$folder/usr/share/keyrings/$name.pgp"
	sed '/^Comment/,/^$/{/^$/!d}' "$RELEASE_DIR/deb/copyright" > "$folder/usr/share/doc/$name/copyright"
	cat > "$folder/DEBIAN/control" <<- EOF2
		Package: $name
		Version: $version
		Architecture: all
		Maintainer: $MAINTAINER
		Installed-Size: 0
		Section: misc
		Priority: optional
		Multi-Arch: foreign
		Description: keys of the Rushlight package repository
		 The OpenPGP keys that apt checks the repository of Rushlight with. Updates of
		 this package bring the next key before it is used.
	EOF2
	finish_package "$folder" "$name" "$version" "$out"
}
