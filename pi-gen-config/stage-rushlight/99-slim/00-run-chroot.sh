# shellcheck shell=bash
# Files that no unit of ours uses. Packages stay: their database is printed into the manifest.

rm -rf /usr/share/doc-base /usr/share/man /usr/share/info /usr/share/lintian /usr/share/locale \
	/usr/share/bash-completion /usr/share/zsh /usr/share/fish /usr/share/pixmaps /usr/share/icons \
	/usr/share/applications /usr/share/gtk-doc /usr/share/bug
find /usr/share/doc -mindepth 2 ! -name copyright -delete 2> /dev/null || true
# Alternatives that pointed to a manual page.
find /etc/alternatives -xtype l -delete

# Software GL and Vulkan are only loaded on demand, by programs with a window.
rm -rf /usr/lib/*/dri /usr/lib/*/gallium-pipe /usr/lib/*/libLLVM* /usr/lib/*/libgallium* /usr/lib/*/libz3.so* \
	/usr/share/vulkan /usr/share/glvnd /usr/share/libthai /usr/share/X11

# Data for ffmpeg filters: speech models, acoustics of heads. File types, for desktops.
rm -rf /usr/share/pocketsphinx /usr/share/libmysofa /usr/share/mime

# Nothing is installed on the device: an update brings a whole root. dpkg stays, to list the contents.
rm -rf /usr/bin/apt* /usr/lib/apt /usr/bin/sqv /usr/lib/*/libapt-pkg* /usr/lib/*/libapt-private* /usr/share/debhelper

# The sources of hwdb.bin, which is what programs read. Character sets: of those for which glibc has modules, those of FAT's
# short names stay.
rm -rf /usr/lib/udev/hwdb.d
find /usr/lib/*/gconv -name '*.so' ! -name IBM437.so ! -name IBM850.so ! -name 'ISO8859-1*.so' ! -name 'UTF-*.so' ! -name UNICODE.so -delete
iconvconfig 2> /dev/null || true

# Debian keeps watchdog drivers from loading by themselves; here the watchdog is wanted.
rm -f /usr/lib/modprobe.d/blacklist_linux_*.conf /lib/modprobe.d/blacklist_linux_*.conf

# Kernel modules for other kinds of machines.
for modules in /usr/lib/modules/*/; do
	[ -d "${modules}kernel" ] || continue
	for unused in drivers/infiniband drivers/isdn drivers/atm drivers/comedi drivers/gpu/drm/amd \
		drivers/gpu/drm/i915 drivers/gpu/drm/xe drivers/gpu/drm/nouveau drivers/gpu/drm/radeon \
		drivers/gpu/drm/vmwgfx drivers/message drivers/mtd drivers/net/fddi \
		drivers/net/ethernet drivers/net/wan drivers/net/hamradio drivers/net/wireless/ath \
		drivers/net/wireless/intel drivers/iio drivers/macintosh drivers/parport \
		drivers/pcmcia drivers/crypto drivers/edac drivers/accel drivers/tty/ipwireless \
		drivers/media/dvb-frontends drivers/media/pci drivers/media/radio drivers/media/tuners \
		drivers/target drivers/scsi/lpfc drivers/scsi/qla2xxx drivers/scsi/bfa drivers/scsi/aic7xxx \
		drivers/net/can drivers/xen drivers/vdpa drivers/thunderbolt drivers/platform/x86 drivers/firewire \
		drivers/staging drivers/hv drivers/misc/mei drivers/net/wireless/realtek drivers/net/wireless/mediatek \
		drivers/net/wireless/marvell drivers/net/wireless/rsi drivers/net/wireless/ti \
		fs/ocfs2 fs/gfs2 fs/ceph fs/jfs fs/reiserfs fs/xfs fs/btrfs fs/bcachefs fs/nfs fs/nfsd fs/smb fs/ubifs \
		fs/orangefs fs/afs fs/coda fs/dlm fs/ntfs3 fs/hfs fs/hfsplus fs/ufs fs/f2fs fs/nilfs2 \
		net/sctp net/rds net/tipc net/dccp net/batman-adv net/ceph net/rxrpc net/openvswitch \
		net/6lowpan net/ieee802154 net/nfc net/appletalk net/atm net/ax25 net/decnet net/ipx net/l2tp net/x25 \
		net/mptcp net/smc net/mpls net/sunrpc net/vmw_vsock arch/x86/kvm drivers/vhost drivers/block/drbd sound/pci sound/soc sound/firewire sound/isa; do
		# Boards keep their own: the list is for Debian's kernel, which serves every PC.
		case $modules in *rpi*) continue ;; esac
		rm -rf "${modules}kernel/$unused"
	done
	version=$(basename "$modules")
	depmod "$version"
	# Without these no update could ever be installed: verity bundles, streamed, of squashfs, and the FAT they boot from.
	for needed in dm-verity loop nbd squashfs vfat; do
		modprobe -n -q -S "$version" "$needed" && continue
		echo "kernel $version has no $needed, which updates need" >&2
		exit 1
	done
done

# Debian's arm64 kernel brings the device trees of every board, 54 MiB; ours are Broadcom's.
find /usr/lib/linux-image-* -mindepth 1 -maxdepth 1 -type d ! -path '*rpi*' ! -name broadcom -exec rm -rf {} + 2> /dev/null || true

# Debian's kernel does not bring wireless firmware; nothing to do here.
rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /var/tmp/* /tmp/* /root/.bash_history /etc/*- \
	/usr/share/python3 /usr/lib/python3 /usr/share/i18n
# The only locale is C.UTF-8.
find /usr/lib/locale -mindepth 1 -maxdepth 1 ! -name C.utf8 -exec rm -rf {} +
# dpkg's own database is worth keeping for `dpkg -l`, but /var is in memory on the device.
rm -rf /usr/lib/dpkg-database
cp -a /var/lib/dpkg /usr/lib/dpkg-database
rm -rf /usr/lib/dpkg-database/info /usr/lib/dpkg-database/*-old
