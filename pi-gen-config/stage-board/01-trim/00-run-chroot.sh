# shellcheck shell=bash
# Packages from stage0 and stage1 that an appliance does not need: kernel headers, build tools, interactive tools.

# Only installed ones: apt does nothing at all if one name is unknown.
unwanted=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii  *//p' |
	grep -xE 'linux-headers-.*|dphys-swapfile|rpi-swap|rpi-eeprom|raspi-config|locales|systemd-timesyncd' || true)
# shellcheck disable=SC2086 # names
[ -z "$unwanted" ] || apt-get purge -y $unwanted
apt-get autoremove -y --purge
