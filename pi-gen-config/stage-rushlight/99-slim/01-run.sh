#!/bin/bash -e
# Checks that the root is fit for a board: otherwise the build fails here.

IMAGE_DIR="${RUSHLIGHT_SOURCE:?the folder of the sources}/image"
for part in common check-root; do
	# shellcheck source=/dev/null
	source "${IMAGE_DIR}/lib/${part}.sh"
done
check_root "${ROOTFS_DIR:?}"
