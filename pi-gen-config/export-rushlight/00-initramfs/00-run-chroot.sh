# shellcheck shell=bash
# Once, at the end, for every kernel; Raspberry Pi's hook puts them beside the kernels in /boot/firmware.

if [ -f /etc/initramfs-tools/update-initramfs.conf ]; then
	sed -i 's/^update_initramfs=.*/update_initramfs=yes/' /etc/initramfs-tools/update-initramfs.conf
fi
update-initramfs -k all -c
