# shellcheck shell=bash
# What stage0 and stage1 bring that an appliance has no use for: kernel headers, tools for building and for people.

apt-get purge -y 'linux-headers-*' dphys-swapfile rpi-eeprom raspi-config 2> /dev/null || true
apt-get autoremove -y --purge
