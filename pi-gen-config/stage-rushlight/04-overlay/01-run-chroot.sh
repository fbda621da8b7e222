# shellcheck shell=bash
# Accounts, units and links of the overlay, from inside the new root.

systemd-sysusers
getent group owner > /dev/null || groupadd --gid 1000 owner
id -u owner > /dev/null 2>&1 ||
	useradd --uid 1000 --gid 1000 --home-dir /data/home --no-create-home --shell /bin/bash owner
# pi-gen's stage1 has created the account: without a shell, and with a home on the root.
usermod --lock --home /data/home --shell /bin/bash owner
usermod --lock root
rm -rf /home/owner

systemctl preset-all --preset-mode=full
# Other units start these.
systemctl disable systemd-networkd-wait-online.service avahi-daemon.socket
# Last: the preset counts the link to the default target as a disabled unit.
systemctl set-default multi-user.target
# What another time service or a removed package left enabled; and what packages expect others to create.
find /etc/systemd/system /etc/vconsole.conf /etc/default -xtype l -delete
# Made when the package was unpacked, and the same on every device; provisioning makes the device's own on the data partition.
rm -f /etc/ssh/ssh_host_*
systemctl mask rpi-eeprom-update.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
	e2scrub_all.timer e2scrub_reap.service fstrim.timer man-db.timer systemd-firstboot.service \
	systemd-machine-id-commit.service systemd-update-done.service ldconfig.service \
	systemd-hwdb-update.service systemd-journal-catalog-update.service serial-getty@.service \
	getty@tty1.service

: > /etc/machine-id
echo rushlight > /etc/hostname
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 rushlight\n' > /etc/hosts
ln -sfn ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf || true
ln -sfn ../run/rushlight-localtime /etc/localtime
ln -sfn ../proc/self/mounts /etc/mtab
rm -rf /etc/avahi/services/*
