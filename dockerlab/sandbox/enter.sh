#!/bin/sh
# Give a host of the sandbox a root file system of its own, then become its first process.
#
# Runs inside the host's new namespaces. The root is an overlay: below it a root file system that is only read,
# above it a tmpfs that vanishes with the host. Nothing that a host writes can stay behind, except for what the
# engine stores and for the logs, which are directories of the sandbox's own.
#
# Behind a boundary the host's root is not the machine's. What of the machine's files not everybody may read is left out
# then, and so is all that is not a system's: the kernel gives nobody what the overlay does not show.
#
# usage: enter.sh NAME ROOT-TO-READ DIRECTORY STORAGE CONTROL-GROUP [confined]
set -eu
umask 022
name=$1 below=$2 directory=$3 storage=$4 cgroup=$5 confined=${6:-}

mount -t tmpfs -o mode=0755 dockerlab "$directory/root"
cd "$directory/root"
mkdir below above work new
mount --bind "$below" below
if [ "$confined" ]; then
    (
        cd below
        # A device 0/0 above hides what is below.
        ls -A | grep -vxE 'bin|sbin|lib[0-9a-z]*|etc|usr|var' | while IFS= read -r each; do mknod "../above/$each" c 0 0; done
        mkdir -p ../above/etc ../above/var/lib
        ls -A var | grep -vx lib | while IFS= read -r each; do mknod "../above/var/$each" c 0 0; done
        ls -A var/lib | grep -vxE 'dpkg|ca-certificates' | while IFS= read -r each; do mknod "../above/var/lib/$each" c 0 0; done
        find etc ! -type l ! -perm -o=r -prune | while IFS= read -r each; do
            mkdir -p "../above/${each%/*}"
            mknod "../above/$each" c 0 0
        done
    )
fi
mount -t overlay -o "lowerdir=below,upperdir=above,workdir=work${confined:+,userxattr}" dockerlab new
cd new

# An overlay does not see what is mounted on what it reads: a /usr that is a file system of its own.
if mountpoint -q "$below/usr"; then mount --rbind "$below/usr" usr; fi

mkdir -p proc sys dev run tmp var/tmp var/log var/lib/docker root home mnt
mount -t proc proc proc
# A new /sys shows this network namespace's interfaces, but without the control groups that belong into it.
mount -t sysfs sysfs sys
if [ "$confined" ]; then
    # Its own group is the root of what it sees.
    hierarchies=$(awk '$3 ~ /^cgroup2?$/ && $2 ~ "^/sys/fs/cgroup" && !told[$2]++ { print $3, $2, $4 }' /proc/mounts)
    case $hierarchies in "cgroup2 /sys/fs/cgroup "*) ;; *) mount -t tmpfs -o mode=0755 tmpfs sys/fs/cgroup ;; esac
    echo "$hierarchies" | while read -r type where options; do
        [ "$type" ] || continue
        controllers=$(echo "$options" | tr , '\n' | grep -vxE 'r[wo]|no(suid|dev|exec|atime)|relatime|xattr|nsdelegate|favordynmods|memory_(recursiveprot|localevents|hugetlb_accounting)' | paste -sd,)
        case $controllers in name=*) controllers=none,$controllers ;; esac
        mkdir -p ".$where"
        mount -t "$type" ${controllers:+-o "$controllers"} cgroup ".$where"
        [ "$type" = cgroup ] || { mkdir -p ".$where/self"; echo $$ >".$where/self/cgroup.procs"; }
    done
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

rm -rf etc/docker etc/ssh etc/hosts etc/hostname etc/resolv.conf
cp -R "$directory/files/." .
# An SSH server refuses a locked account even to a key that it knows; a password of * is one that never matches.
if [ "$confined" ]; then
    sed 's/:.*/:*:::::::/' etc/passwd >etc/shadow
    chmod 0600 etc/shadow
else
    sed -i 's/^root:[^:]*:/root:*:/' etc/shadow
fi
shell=/bin/sh
[ ! -x bin/bash ] || shell=/bin/bash
sed -i "s|^\(root:.*:\)[^:]*\$|\1$shell|" etc/passwd
hostname "$name"

# pivot_root and not chroot: `docker exec` finds its way out of a chroot.
pivot_root . mnt
umount -l /mnt
cd /
exec /bin/sh /etc/dockerlab/init.sh "$cgroup"
