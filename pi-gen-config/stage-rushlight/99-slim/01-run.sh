#!/bin/bash -e
# Whether the root is what a board needs: a build that made another one fails here.

IMAGE_DIR="${RUSHLIGHT_SOURCE:?the folder of the sources}/image"
for part in common check-root; do
	# shellcheck source=/dev/null
	source "${IMAGE_DIR}/lib/${part}.sh"
done
check_root "${ROOTFS_DIR:?}"
