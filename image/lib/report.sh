# shellcheck shell=bash
# What the root weighs, against its budget.

# report_sizes TREE ROOT_IMAGE DISK BUDGET_MIB
report_sizes() {
	local tree=$1 total
	total=$(du -sm --exclude="$tree/boot" --exclude="$tree/var" "$tree" | cut -f1)
	printf 'root, uncompressed: %s MiB (budget %s MiB)\n' "$total" "$4"
	printf 'root image:         %s MiB\n' "$(($(stat -c %s "$2") / 1048576))"
	printf 'disk image:         %s MiB, %s MiB of it used\n' "$(($(stat -c %s "$3") / 1048576))" "$(du -m "$3" | cut -f1)"
	printf 'biggest parts:\n'
	{
		du -sm "$tree/usr/lib/rushlight/bin" "$tree/usr/lib/rushlight/node_modules" "$tree/usr/lib/modules" \
			"$tree/usr/lib/firmware" 2> /dev/null | awk -v tree="$tree" '{ sub(tree, "", $2); print $1 "\t" $2 }'
		dpkg-query --admindir="$tree/var/lib/dpkg" -W -f '${Installed-Size}\t${Package}\n' |
			awk -F'\t' '$2 !~ /^linux-image/ { printf "%d\t%s (package, as installed)\n", ($1 + 512) / 1024, $2 }'
	} | sort -rn | head -n 10 | awk -F'\t' '{ printf "%6d MiB  %s\n", $1, $2 }'
	[ "$total" -le "$4" ] || fail "the root has $total MiB uncompressed; the budget is $4"
}

# manifest TREE OUT: what is inside, and from where.
manifest() {
	local tree=$1 out=$2
	{
		printf 'source_date_epoch %s\n' "${SOURCE_DATE_EPOCH:-}"
		printf 'source %s\n' "$(git -C "$SOURCE_DIR" rev-parse HEAD 2> /dev/null || echo unknown)"
		printf 'suite %s, packages as of the lists fetched at the build of the base\n' "$SUITE"
		dpkg-query --admindir="$tree/var/lib/dpkg" -W -f '${Package} ${Version} ${Architecture}\n'
	} > "$out"
}
