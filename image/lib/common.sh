# shellcheck shell=bash
# Shared by image/build and its parts.

say() { printf '==> %s\n' "$*" >&2; }
fail() {
	printf 'image/build: %s\n' "$*" >&2
	exit 1
}

# Package names of the given lists, one on each line, sorted, without comments.
read_packages() {
	sed -e 's/#.*//' -e 's/[[:space:]]\+/\n/g' -- "$@" | grep -v '^$' | sort -u
}

# Digest over names and contents of files and folders, in an order that no locale changes.
hash_inputs() {
	local path
	for path in "$@"; do
		if [ -d "$path" ]; then
			find "$path" \( -type f -o -type l \) -printf '%P %m\n' | LC_ALL=C sort
			find "$path" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | cut -d' ' -f1
		else
			sha256sum < "$path"
		fi
	done | sha256sum | cut -c1-16
}

# The tools this needs, by the Debian package of each; installed if we are root.
need_tools() {
	local missing=() pair
	for pair in "$@"; do
		command -v "${pair%%:*}" > /dev/null || missing+=("${pair#*:}")
	done
	[ "${#missing[@]}" -eq 0 ] && return
	if [ "$(id -u)" -ne 0 ]; then
		fail "missing tools; run: sudo apt-get install --no-install-recommends -y ${missing[*]}"
	fi
	say "installing ${missing[*]}"
	# A fresh machine or a container has no package lists yet.
	apt-get update -q >&2
	# A machine that has just started may be upgrading itself.
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install --no-install-recommends -y -q "${missing[@]}" >&2
}
