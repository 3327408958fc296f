#!/bin/sh
# Give a host of the sandbox a root file system of its own, then become its first process.
#
# Runs inside the host's new namespaces. The root is a tmpfs that vanishes with the host; in it lie programs and
# settings as overlays: below them a root file system that is only read, above them the tmpfs. Nothing that a host
# writes can stay behind, except for what the engine stores and for the logs, which are directories of the sandbox's own.
# What else is on the machine (homes, checkouts, data, what only its own root may read) is on no host.
#
# usage: enter.sh NAME ROOT-TO-READ DIRECTORY STORAGE CONTROL-GROUP [confined]   (confined: behind a boundary, boundary.sh)
set -eu
umask 022
name=$1 below=$2 directory=$3 storage=$4 cgroup=$5 confined=${6:-}

mount -t tmpfs -o mode=0755 dockerlab "$directory/root"
cd "$directory/root"
mkdir -m 0755 above work new
mount --bind new new
cd new
for each in usr etc bin sbin lib lib32 lib64 libx32; do
    if [ -L "$below/$each" ]; then
        cp -P "$below/$each" "$each"
    elif [ -d "$below/$each" ]; then
        mkdir "$each" "../above/$each" "../work/$each"
        layers="lowerdir=$below/$each,upperdir=../above/$each,workdir=../work/$each"
        # What an overlay notes beside a file, only the machine's root may note as trusted.
        mount -t overlay -o "$layers${confined:+,userxattr}" dockerlab "$each"
    fi
done

mkdir -p proc sys dev run tmp var/tmp var/log var/lib/docker var/cache root home opt srv mnt
mount -t proc proc proc
# A new /sys shows this network namespace's interfaces, but without the control groups that belong into it.
mount -t sysfs sysfs sys
if [ "$confined" ]; then
    . "$directory/cgroups.sh"
    mount_groups .
else
    mount --rbind /sys/fs/cgroup sys/fs/cgroup
fi
if mountpoint -q /sys/kernel/security; then mount --rbind /sys/kernel/security sys/kernel/security; fi
# No disk of the machine, and nothing else of its /dev that an engine does not need.
mount -t tmpfs -o mode=0755 tmpfs dev
mkdir dev/net dev/pts dev/shm dev/mqueue
for device in null zero full random urandom tty fuse net/tun vhost-net; do
    [ -c "/dev/$device" ] || continue
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,mode=0620,gid=5,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t mqueue mqueue dev/mqueue
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=1777 tmpfs var/tmp
mount -t tmpfs -o mode=0700 tmpfs root
mount -t tmpfs -o mode=0755 tmpfs home
mount --bind "$storage/log" var/log
mount --bind "$storage/docker" var/lib/docker
mkdir -p run/sshd run/lock
mkdir -m 0700 run/dockerlab
[ -e var/run ] || ln -s ../run var/run

# What only some may read there are secrets of the machine's, such as passwords and keys.
find etc ! -type l ! -perm -o=r -prune -exec rm -rf {} +
rm -rf etc/docker etc/ssh etc/hosts etc/hostname etc/resolv.conf
cp -R "$directory/files/." .
# An SSH server refuses a locked account even to a key that it knows; a password of * is one that never matches.
(umask 077 && sed 's/^\([^:]*\):.*/\1:*:::::::/' etc/passwd >etc/shadow)
shell=/bin/sh
[ ! -x bin/bash ] || shell=/bin/bash
sed -i "s|^\(root:.*:\)[^:]*\$|\1$shell|" etc/passwd
hostname "$name"

# pivot_root and not chroot: `docker exec` finds its way out of a chroot.
pivot_root . mnt
umount -l /mnt
cd /
exec /bin/sh /etc/dockerlab/init.sh "$cgroup"
