# shellcheck shell=bash
# Runs a pi-gen stage on a root in pi-gen's own order: per sub-folder, for i = 00…99: i-debconf, i-packages-nr,
# i-packages, i-run.sh (if executable), i-run-chroot.sh. Patches are not supported: our stages have none.

# Runs a shell inside the root with its script from standard input, like pi-gen's. The mounts are private and end
# with the shell.
on_chroot() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --propagation private -- bash -e -c '
		mount -t proc proc "$ROOTFS_DIR/proc"
		mount --rbind /dev "$ROOTFS_DIR/dev"
		mount --rbind /sys "$ROOTFS_DIR/sys"
		mount -t tmpfs tmpfs "$ROOTFS_DIR/run"
		mount -t tmpfs tmpfs "$ROOTFS_DIR/tmp"
		exec env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive ${SOURCE_DATE_EPOCH:+SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH} \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			chroot "$ROOTFS_DIR" /bin/bash -e "$@"
	' on_chroot "$@"
}
export -f on_chroot

log() { printf '    %s\n' "$*" >&2; }
export -f log

# Installs packages that the base does not have yet.
stage_packages() {
	local list=$1 wanted missing=() package
	shift
	wanted=$(read_packages "$list")
	for package in $wanted; do
		# shellcheck disable=SC2016 # the field is dpkg-query's
		dpkg-query --admindir="$ROOTFS_DIR/var/lib/dpkg" -W -f '${db:Status-Abbrev}' "$package" 2> /dev/null | grep -q '^ii' ||
			missing+=("$package")
	done
	[ "${#missing[@]}" -eq 0 ] && return
	log "installing ${missing[*]}"
	on_chroot <<- EOF
		apt-get update -q
		apt-get -o Acquire::Retries=3 install $* -y -q ${missing[*]}
	EOF
}

run_sub_stage() {
	local folder=$1 i
	cd "$folder" || exit
	for i in {00..99}; do
		if [ -f "$i-debconf" ]; then
			log "$(basename "$folder")/$i-debconf"
			on_chroot -c 'debconf-set-selections' < "$i-debconf"
		fi
		if [ -f "$i-packages-nr" ]; then stage_packages "$i-packages-nr" --no-install-recommends; fi
		if [ -f "$i-packages" ]; then stage_packages "$i-packages"; fi
		[ ! -d "$i-patches" ] || fail "$folder/$i-patches: patches are not supported here"
		if [ -x "$i-run.sh" ]; then
			log "$(basename "$folder")/$i-run.sh"
			"./$i-run.sh"
		fi
		if [ -f "$i-run-chroot.sh" ]; then
			log "$(basename "$folder")/$i-run-chroot.sh"
			on_chroot < "$i-run-chroot.sh"
		fi
	done
}

# run_stage FOLDER, with ROOTFS_DIR set.
run_stage() {
	local stage folder
	stage=$(realpath "$1")
	say "stage $(basename "$stage")"
	for folder in "$stage"/*; do
		if [ -d "$folder" ] && [ ! -f "$folder/SKIP" ]; then
			(run_sub_stage "$folder")
		fi
	done
}
