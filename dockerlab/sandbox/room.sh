# Run a program of the sandbox's own root file system with a host's processes and network before it, and none of its files.
#
# For a process of the machine's root that is in the host's namespaces of network and processes, and in one of mounts that
# nobody else has. It gets a root of its own: the programs that the host began with, unchanged, what tells of the host's
# kernel, and ways to those of the host's files that are read and never run. Whatever link a host's root makes there leads
# into this root, in which nothing is that not everybody may read, and nothing of the machine's can be written.
#
# usage: sh -euc THIS room ROOT-TO-READ PATH COMMAND [ARGUMENT …]
below=${1%/} path=$2
shift 2
mount -t tmpfs -o mode=0755,size=8m dockerlab /mnt
cd /mnt
for each in usr bin sbin lib lib32 lib64 libx32; do
    if [ -L "$below/$each" ]; then
        cp -P "$below/$each" "$each"
    elif [ -d "$below/$each" ]; then
        mkdir "$each"
        mount --bind "$below/$each" "$each"
        mount -o remount,bind,ro,nosuid,nodev "$each"
    fi
done
mkdir etc proc dev run old
mkdir -m 1777 tmp
: >dev/null
mount --bind /dev/null dev/null
# Only what programs read of their own: no settings of the machine, and none of a host's that a program could obey.
for each in alternatives ld.so.cache nsswitch.conf passwd group protocols services iproute2 ethertypes; do
    [ ! -e "$below/etc/$each" ] || cp -RP "$below/etc/$each" etc
done
ln -s /proc/1/root/etc/docker /proc/1/root/etc/resolv.conf etc
for each in docker docker.pid docker.sock netns systemd; do ln -s "/proc/1/root/run/$each" run; done
ln -s /proc/1/root/var /proc/1/root/opt /proc/1/root/srv /proc/1/root/boot .
mount -t proc -o ro,nosuid,nodev,noexec proc proc
# What the machine's root alone may read there: a link of a host's could lead to it.
for each in kcore kmsg kallsyms keys timer_list vmallocinfo slabinfo iomem ioports modules; do
    [ ! -e "proc/$each" ] || mount --bind dev/null "proc/$each"
done
pivot_root . old
umount -l /old
cd /
rights=-all
# To enter, to ask the kernel and to hear packets; to read what is a host's and to speak with its engine; no device, no module.
for each in sys_admin sys_chroot sys_ptrace sys_resource dac_override net_admin net_raw net_bind_service; do
    rights=$rights,+$each
done
exec env -i PATH="$path" HOME=/tmp LC_ALL=C setpriv --no-new-privs --bounding-set "$rights" --inh-caps=-all -- "$@"
