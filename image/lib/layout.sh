# shellcheck shell=bash disable=SC2034
# The disk, in one place: an MBR with A/B slots, the same on every flavour. Sizes in MiB.

# The disk's id is fixed: a slot's cmdline.txt names its root by it, and a bundle is made before it is known which card it meets.
DISK_ID=52534c54
CONFIG_MIB=64
BOOT_MIB=192
ROOT_MIB=512
# Only room for the file system's start; it grows to the end of the medium at first boot.
DATA_MIB=16
# Left empty before each partition; in front of a logical one lies its table.
ALIGN_MIB=4

CONFIG_START=$ALIGN_MIB
BOOT_A_START=$((CONFIG_START + CONFIG_MIB))
BOOT_B_START=$((BOOT_A_START + BOOT_MIB))
EXTENDED_START=$((BOOT_B_START + BOOT_MIB))
ROOT_A_START=$((EXTENDED_START + ALIGN_MIB))
ROOT_B_START=$((ROOT_A_START + ROOT_MIB + ALIGN_MIB))
DATA_START=$((ROOT_B_START + ROOT_MIB + ALIGN_MIB))
DISK_MIB=$((DATA_START + DATA_MIB + ALIGN_MIB))
