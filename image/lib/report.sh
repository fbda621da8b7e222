# shellcheck shell=bash
# Size of the root against its budget.

# installed_sizes TREE: actual size of each package in KiB; dpkg's own figure includes files that were left out.
installed_sizes() {
	local tree=$1 list
	for list in "$tree"/var/lib/dpkg/info/*.list; do
		printf '%s\t%s\n' "$(sed -e "s|^|$tree|" "$list" | tr '\n' '\0' |
			xargs -0 -r stat --printf '%F %b\n' -- 2> /dev/null | awk '/^regular/ { sum += $NF } END { print int(sum / 2) }')" \
			"$(basename "$list" .list)"
	done
}

# report_sizes TREE ROOT_IMAGE DISK BUDGET_MIB
report_sizes() {
	local tree=$1 total
	total=$(du -smx --exclude="$tree/boot" --exclude="$tree/var" "$tree" | cut -f1)
	printf 'root, uncompressed: %s MiB (budget %s MiB)\n' "$total" "$4"
	printf 'root image:         %s MiB\n' "$(($(stat -c %s "$2") / 1048576))"
	printf 'disk image:         %s MiB, %s MiB of it used\n' "$(($(stat -c %s "$3") / 1048576))" "$(du -m "$3" | cut -f1)"
	printf 'biggest parts:\n'
	{
		du -sk "$tree/usr/lib/rushlight/bin" "$tree/usr/lib/rushlight/node_modules" "$tree/usr/lib/firmware" 2> /dev/null |
			awk -v tree="$tree" '{ sub(tree, "", $2); print $1 "\t" $2 }'
		installed_sizes "$tree"
	} | sort -rn | head -n 10 | awk -F'\t' '{ printf "%6.1f MiB  %s\n", $1 / 1024, $2 }' || true
	[ "$total" -le "$4" ] || fail "the root has $total MiB uncompressed; the budget is $4"
}

# manifest TREE OUT: all contents and their origin.
manifest() {
	local tree=$1 out=$2
	{
		printf 'source_date_epoch %s\n' "${SOURCE_DATE_EPOCH:-}"
		printf 'source %s\n' "${RUSHLIGHT_COMMIT:-$(git -C "$SOURCE_DIR" rev-parse HEAD 2> /dev/null || echo unknown)}"
		printf 'suite %s, packages as of the lists fetched at the build of the base\n' "$SUITE"
		dpkg-query --admindir="$tree/var/lib/dpkg" -W -f '${Package} ${Version} ${Architecture}\n'
	} > "$out"
}
