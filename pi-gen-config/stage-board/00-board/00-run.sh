#!/bin/bash -e
# What the boot firmware reads from a slot.

install -D -m 644 "${RUSHLIGHT_SOURCE}/pi-gen-config/board/config.txt" "${ROOTFS_DIR}/boot/firmware/config.txt"
