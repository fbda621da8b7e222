#!/bin/bash -e
# Before our first package: files that dpkg must not unpack.

install -D -m 644 files/dpkg-excludes "${ROOTFS_DIR}/etc/dpkg/dpkg.cfg.d/rushlight"
