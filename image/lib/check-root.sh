# shellcheck shell=bash
# Requirements of a finished root, however it was built: inspected from outside, without running anything in it. Reports every
# problem, not only the first.

# check_root TREE: fails if something is wrong.
check_root() {
	local tree=$1 problems
	problems=$(
		root_accounts "$tree"
		root_secrets "$tree"
		root_links "$tree"
		root_units "$tree"
		root_leftovers "$tree"
		root_programs "$tree"
	)
	if [ -n "$problems" ]; then
		printf '%s\n' "$problems" | sed 's/^/    /' >&2
		fail "the root is not what a board needs ($(wc -l <<< "$problems") problems)"
	fi
	say "the root is as it should be: accounts, units, links, secrets, leftovers, programs"
}

# The owner logs in over SSH with a key only; nobody else but root has a shell, and nobody has a password.
root_accounts() {
	local tree=$1 name password uid home shell
	while IFS=: read -r name _ uid _ _ home shell; do
		case $name in
			owner)
				[ "$uid" = 1000 ] || echo "accounts: owner has the user id $uid, not 1000"
				[ "$home" = /data/home ] || echo "accounts: owner's home is $home, which is not on the data partition"
				;;
			root) ;;
			*)
				case $shell in
					*/nologin | */false | */sync) ;;
					*) echo "accounts: $name can log in ($shell)" ;;
				esac
				continue
				;;
		esac
		if [ ! -x "$tree$shell" ] || ! grep -qxF "$shell" "$tree/etc/shells"; then
			echo "accounts: $name has no shell to log in with ($shell)"
		fi
	done < "$tree/etc/passwd"
	grep -q '^owner:' "$tree/etc/passwd" || echo "accounts: there is no owner"
	grep -q '^rushlight:[^:]*:900:' "$tree/etc/passwd" || echo "accounts: there is no rushlight with the user id 900"
	while IFS=: read -r name password _; do
		case $password in '!'* | '*'*) ;; *) echo "accounts: $name has a password" ;; esac
	done < "$tree/etc/shadow"
	[ ! -e "$tree/etc/nologin" ] || echo "accounts: etc/nologin keeps everybody out"
}

# These would be the same on every device. /var is not checked: it is in memory on the device, and empty in the image.
root_secrets() {
	local tree=$1 file
	for file in "$tree"/etc/ssh/ssh_host_*; do
		[ ! -e "$file" ] || echo "secrets: ${file#"$tree"/} would be the same on every device"
	done
	grep -rlI --exclude-dir=proc -- '-----BEGIN [A-Z ]*PRIVATE KEY-----' "$tree/etc" "$tree/root" "$tree/usr/lib/rushlight/ota" 2> /dev/null |
		sed "s|^$tree/|secrets: a private key: |" || true
	[ ! -s "$tree/etc/machine-id" ] || echo "secrets: etc/machine-id would be the same on every device"
}

# Dangling symbolic links. Targets that only exist on the running device are skipped.
root_links() {
	local tree=$1 path target
	while IFS=$'\t' read -r -d '' path target; do
		case $target in
			/*) ;;
			*) target=$(realpath --canonicalize-missing --no-symlinks "/${path%/*}/$target") ;;
		esac
		case $target in /run/* | /proc/* | /dev/* | /data/* | /boot/* | /var/* | /tmp/* | /sys/*) continue ;; esac
		[ -e "$tree$target" ] || [ -L "$tree$target" ] || echo "links: /$path leads to $target, which is not there"
	done < <(cd "$tree" && find etc usr/bin usr/sbin usr/lib/systemd usr/libexec usr/lib/rushlight/bin -xdev -type l \
		-printf '%p\t%l\0' 2> /dev/null)
}

# Every unit that the preset enables exists and is wanted by something; every wanted unit exists (see links, too).
root_units() {
	local tree=$1 verb unit file found
	while read -r verb unit _; do
		if [ "$verb" = disable ]; then
			case $unit in *[*@]*) continue ;; esac
			! is_wanted "$tree" "$unit" || echo "units: $unit is enabled"
		fi
		[ "$verb" = enable ] || continue
		found=
		for file in "$tree"/{etc,usr/lib}/systemd/system/$unit; do
			if [ ! -f "$file" ] || [ -L "$file" ]; then continue; fi
			found=1
			case $(basename "$file") in *@.*) continue ;; esac
			is_off "$tree" "$(basename "$file")" && continue
			grep -q '^\[Install\]' "$file" || continue
			is_wanted "$tree" "$(basename "$file")" || echo "units: $(basename "$file") is not enabled"
		done
		[ -n "$found" ] || echo "units: there is no $unit, which the preset enables"
	done < "$tree/usr/lib/systemd/system-preset/10-rushlight.preset"
	[ "$(basename "$(readlink "$tree/etc/systemd/system/default.target")")" = multi-user.target ] ||
		echo "units: the default target is not multi-user.target"
}

# is_wanted TREE UNIT: whether a link enables it.
is_wanted() { find "$1/etc/systemd/system" -mindepth 2 -type l -name "$2" -lname "*/$2" | grep -q .; }

# is_off TREE UNIT: whether a line before the one that enables it disables it.
is_off() {
	local verb pattern
	while read -r verb pattern _; do
		# shellcheck disable=SC2053 # a pattern, as in systemd.preset(5)
		[[ $2 == $pattern ]] || continue
		[ "$verb" = disable ]
		return
	done < "$1/usr/lib/systemd/system-preset/10-rushlight.preset"
	return 1
}

# Leftovers of the build that nothing of ours reads.
root_leftovers() {
	local tree=$1 path
	for path in home root; do
		find "$tree/$path" -xdev -mindepth 1 ! -name .bashrc ! -name .profile ! -name .ssh -printf "leftovers: /$path/%P\n" 2> /dev/null || true
	done
	for path in usr/share/i18n usr/share/locale usr/share/man usr/share/doc-base usr/lib/locale/locale-archive usr/bin/apt-get \
		usr/sbin/policy-rc.d usr/bin/qemu-aarch64-static etc/resolv.conf.old etc/apt/apt.conf.d/51cache; do
		[ ! -e "$tree/$path" ] || echo "leftovers: /$path"
	done
	for path in "$tree"/usr/lib/locale/*; do
		case $(basename "$path") in C.utf8 | '*') ;; *) echo "leftovers: /usr/lib/locale/$(basename "$path")" ;; esac
	done
	find "$tree/etc" "$tree/usr" -xdev ! -type l -perm -0002 -printf 'leftovers: everybody may write /%P\n' 2> /dev/null || true
}

# Programs that the product and its units run, for the processor of the root.
root_programs() {
	local tree=$1 path programs=(usr/lib/rushlight/bin/node usr/bin/ffmpeg usr/bin/v4l2-ctl usr/bin/rauc usr/sbin/sshd usr/sbin/avahi-daemon
		usr/sbin/chronyd usr/sbin/nft usr/sbin/wpa_supplicant usr/sbin/iw usr/bin/qrencode usr/sbin/blkid usr/bin/udevadm)
	is_board "$tree" && programs+=(usr/bin/rpicam-vid usr/bin/vcgencmd)
	for path in "${programs[@]}"; do
		[ -x "$tree/$path" ] || echo "programs: /$path is missing"
	done
	[ "$(elf_machine "$tree/usr/lib/rushlight/bin/node")" = "$(elf_machine "$(realpath "$tree/usr/bin/bash")")" ] ||
		echo "programs: Node.js is for another processor than the root"
}

# Whether the root is for a board: its kernel is Raspberry Pi's.
is_board() { compgen -G "$1/usr/lib/modules/*rpi*" > /dev/null; }

# Processor number from the header of an ELF file.
elf_machine() { od -An -j 18 -N 2 -t u2 "$1" 2> /dev/null | tr -d ' '; }
