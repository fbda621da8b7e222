#!/bin/bash -e
# A custom stage starts from the root of the previous one.

if [ ! -d "${ROOTFS_DIR}" ]; then
	copy_previous
fi
