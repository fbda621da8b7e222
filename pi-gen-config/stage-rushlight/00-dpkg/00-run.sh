#!/bin/bash -e
# Before the first package of ours: what dpkg is not to unpack.

install -D -m 644 files/dpkg-excludes "${ROOTFS_DIR}/etc/dpkg/dpkg.cfg.d/rushlight"
