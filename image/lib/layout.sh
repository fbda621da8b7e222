# shellcheck shell=bash disable=SC2034
# The disk, defined once: an MBR with A/B slots, the same for every flavour. Sizes in MiB.

# The disk's id is fixed: a slot's cmdline.txt names its root by it, and a bundle must work on any card.
DISK_ID=52534c54
CONFIG_MIB=64
BOOT_MIB=192
ROOT_MIB=512
# Only room for the start of the file system; it grows to the end of the medium at first boot.
DATA_MIB=16
# Left empty before each partition; a logical one has its table there.
ALIGN_MIB=4

CONFIG_START=$ALIGN_MIB
BOOT_A_START=$((CONFIG_START + CONFIG_MIB))
BOOT_B_START=$((BOOT_A_START + BOOT_MIB))
EXTENDED_START=$((BOOT_B_START + BOOT_MIB))
ROOT_A_START=$((EXTENDED_START + ALIGN_MIB))
ROOT_B_START=$((ROOT_A_START + ROOT_MIB + ALIGN_MIB))
DATA_START=$((ROOT_B_START + ROOT_MIB + ALIGN_MIB))
DISK_MIB=$((DATA_START + DATA_MIB + ALIGN_MIB))
