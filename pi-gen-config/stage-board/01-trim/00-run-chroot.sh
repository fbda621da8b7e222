# shellcheck shell=bash
# What stage0 and stage1 bring that an appliance has no use for: kernel headers, tools for building and for people.

# Only what is there: apt does nothing at all where one name is unknown to it.
unwanted=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii  *//p' |
	grep -xE 'linux-headers-.*|dphys-swapfile|rpi-swap|rpi-eeprom|raspi-config|locales|systemd-timesyncd' || true)
# shellcheck disable=SC2086 # names
[ -z "$unwanted" ] || apt-get purge -y $unwanted
apt-get autoremove -y --purge
