#!/bin/bash -e
# The disk layout from layout.sh, filled from the finished root; the same code as for the virtual flavour.

set -o pipefail
IMAGE_DIR="${RUSHLIGHT_SOURCE:?the folder of the sources}/image"
SOURCE_DIR="${RUSHLIGHT_SOURCE}"
SUITE="${RELEASE:-trixie}"
export IMAGE_DIR SOURCE_DIR SUITE
for part in common layout boot board-trees disk report; do
	# shellcheck source=/dev/null
	source "${IMAGE_DIR}/lib/${part}.sh"
done

# Beyond pi-gen's own dependencies; its container has none of them.
need_tools mksquashfs:squashfs-tools sfdisk:fdisk mkfs.vfat:dosfstools mcopy:mtools dtc:device-tree-compiler \
	fdtoverlay:device-tree-compiler

work="${STAGE_WORK_DIR:?}/disk"
out="${DEPLOY_DIR:?}/${IMG_FILENAME:-rushlight}${IMG_SUFFIX:-}"
rm -rf "${work}"
mkdir -p "${work}/boot" "${work}/config" "${DEPLOY_DIR}"

release_mounts "${ROOTFS_DIR:?}"
cp -a "${ROOTFS_DIR}/boot/firmware/." "${work}/boot/"
sed 's/@CONSOLE@/serial0/' "${IMAGE_DIR}/cmdline.txt" > "${work}/boot/cmdline.txt"
compile_overlays "${work}/boot/overlays"
check_overlays "${work}/boot" "${work}/boot/overlays"
config_files "${work}/config"
# The boot ROM of boards before the Pi 4 looks for it on the first partition.
if [ -f "${work}/boot/bootcode.bin" ]; then cp "${work}/boot/bootcode.bin" "${work}/config/"; fi

root_image "${ROOTFS_DIR}" "${out}.squashfs"
assemble_disk "${out}.img" "${work}/config" "${work}/boot" "${out}.squashfs" "${work}/parts"
manifest "${ROOTFS_DIR}" "${out}.manifest.txt"
report_sizes "${ROOTFS_DIR}" "${out}.squashfs" "${out}.img" "${ROOT_BUDGET_MIB:-700}" | tee "${out}.sizes.txt"
if [ "${DEPLOY_COMPRESSION:-none}" = xz ]; then xz --threads=0 --keep --force -6 "${out}.img"; fi
