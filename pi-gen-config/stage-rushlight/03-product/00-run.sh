#!/bin/bash -e
# The product as image/build packed it for this architecture: sources, modules, pages and Node.

: "${RUSHLIGHT_PRODUCT:?archive of the product, made by image/build}"
install -d "${ROOTFS_DIR}/usr/lib/rushlight"
tar --extract --file "${RUSHLIGHT_PRODUCT}" --directory "${ROOTFS_DIR}/usr/lib/rushlight" \
	--no-same-owner --owner=0 --group=0
ln -sf ../lib/rushlight/bin/rushlight "${ROOTFS_DIR}/usr/bin/rushlight"
