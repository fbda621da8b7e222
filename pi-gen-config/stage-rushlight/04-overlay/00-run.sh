#!/bin/bash -e
# The files of overlays/rootfs, at their paths on the device.

: "${RUSHLIGHT_SOURCE:?the folder of the sources}"
tar --create --directory "${RUSHLIGHT_SOURCE}/overlays/rootfs" --owner=0 --group=0 . |
	tar --extract --directory "${ROOTFS_DIR}" --no-same-permissions --preserve-permissions
install -d -m 755 "${ROOTFS_DIR}/boot/rushlight" "${ROOTFS_DIR}/data" "${ROOTFS_DIR}"/media/{ssd,stick}
