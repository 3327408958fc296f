#!/bin/sh
# Bring a host behind its boundary: put together what it is made of, and become the boundary's root.
#
# Runs as the machine's root, in the host's network namespace and a mount namespace that nobody else has. What is mounted here
# the host cannot change: for it, all of that belongs to somebody else.
#
# usage: boundary.sh NAME BELOW DIRECTORY STORAGE USERS
set -eu
name=$1 below=$2 directory=$3 storage=$4 users=$5

# The host's root may not pass through directories that are the machine's alone.
mount -t tmpfs -o mode=0755 dockerlab /mnt
mkdir /mnt/root /mnt/files /mnt/below /mnt/storage
mount --bind "$directory/files" /mnt/files
mount --bind "$below" /mnt/below
mount --bind "$storage" /mnt/storage
cp "$directory/enter.sh" /mnt/enter.sh
chmod 0644 /mnt/enter.sh
exec nsenter --user="$users" -- unshare --mount --uts --ipc --pid --cgroup --fork --kill-child \
    /bin/sh /mnt/enter.sh "$name" /mnt/below /mnt /mnt/storage /docker confined
