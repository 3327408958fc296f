#!/bin/sh
# Bring a host behind its boundary: put together what it is made of, and become the boundary's root.
#
# Runs as the machine's root, in the host's network namespace and a mount namespace that nobody else has. What is mounted here
# the host cannot change: for it, all of that belongs to somebody else.
#
# usage: boundary.sh NAME BELOW DIRECTORY STORAGE USERS CONTROL-GROUP
set -eu
umask 022
name=$1 below=$2 directory=$3 storage=$4 users=$5 cgroup=$6

# The host's root may not pass through directories that are the machine's alone.
mount -t tmpfs -o mode=0755 dockerlab /mnt
mkdir /mnt/root /mnt/files /mnt/below /mnt/storage
mount --bind "$directory/files" /mnt/files
mount --bind "$below" /mnt/below
mount --bind "$storage" /mnt/storage
# What only some may read is not there for it: the host could take away what hides it, were that the host's own.
mkdir /mnt/hidden
(cd /mnt/below && find etc ! -type l ! -perm -o=r -prune) | while IFS= read -r each; do
    mkdir -p "/mnt/hidden/${each%/*}"
    mknod "/mnt/hidden/$each" c 0 0
done
# What is merged has the owner that the upper directory has.
chown -R "$(stat -c %u:%g /mnt/files)" /mnt/hidden
[ ! -d /mnt/hidden/etc ] || mount -t overlay -o ro,lowerdir=/mnt/hidden/etc:/mnt/below/etc dockerlab /mnt/below/etc
cp "$directory/enter.sh" "$directory/cgroups.sh" /mnt
chmod 0644 /mnt/*.sh
# In version 2 a group has either processes or controllers to hand on: none is to stay in the one that is the host's root.
# shellcheck disable=SC2016
leave='cgroup=$1
shift
awk "\$3 == \"cgroup2\" { print \$2 }" /proc/mounts | sort -u | while read -r where; do
    mkdir -p "$where$cgroup/self"
    echo $$ >"$where$cgroup/self/cgroup.procs"
done
exec unshare --mount --uts --ipc --pid --fork --kill-child /bin/sh /mnt/enter.sh "$@"'
exec nsenter --user="$users" -- unshare --cgroup \
    /bin/sh -euc "$leave" leave "$cgroup" "$name" /mnt/below /mnt /mnt/storage /docker confined
