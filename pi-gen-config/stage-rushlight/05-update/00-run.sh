#!/bin/bash -e
# Fills in the settings for updates: for which machines bundles are, and whose signatures count.

: "${RUSHLIGHT_SOURCE:?the folder of the sources}"
architecture=$(dpkg-query --admindir="${ROOTFS_DIR}/var/lib/dpkg" -W -f '${Architecture}' dpkg)
board=virt
for modules in "${ROOTFS_DIR}"/usr/lib/modules/*rpi*; do
	[ ! -d "$modules" ] || board=raspberrypi
done
sed -i "s/@COMPATIBLE@/rushlight-${board}-${architecture}/" "${ROOTFS_DIR}/etc/rauc/system.conf"

# Without keys in RUSHLIGHT_KEYS, a checkout makes its own: an image and its bundles match, and
# nobody else's bundle does.
keys=${RUSHLIGHT_KEYS:-${RUSHLIGHT_SOURCE}/image/cache/keys}
[ -s "$keys/keyring.pem" ] || "${RUSHLIGHT_SOURCE}/ota/bundle/pki" init "$keys"
install -m 644 "$keys/keyring.pem" "${ROOTFS_DIR}/etc/rauc/keyring.pem"
install -m 644 "$keys/channel.pub" "${ROOTFS_DIR}/etc/rauc/channel.pub"
chmod 755 "${ROOTFS_DIR}/etc/initramfs-tools/hooks/rushlight-selector" \
	"${ROOTFS_DIR}/etc/initramfs-tools/scripts/local-top/rushlight-selector" \
	"${ROOTFS_DIR}"/usr/libexec/rushlight/{selector,selector-at-boot,trial-guard,rauc-system-info,rauc-pre-install}
