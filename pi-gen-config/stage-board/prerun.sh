#!/bin/bash -e
# A stage of its own starts from the root of the one before it.

if [ ! -d "${ROOTFS_DIR}" ]; then
	copy_previous
fi
