#!/bin/sh
# The first process of a place: mounts what a place has of its own, says so, and holds the namespaces.
#
# Runs inside the place's new namespaces. The machine's files are those of the machine; its own are /run/dockerlab and
# /run/netns, where a sandbox has its names, /var/lib/dockerlab, where it stores, and /sys with its control groups.
#
# usage: hold.sh NAME USERS STORAGE IMAGE READY   (IMAGE: a file with a file system for the storage, or nothing)
set -eu
name=$1 users=$2 storage=$3 image=$4
exec 3>"$5"

# What others have mounted there would be kept from going for as long as the place is there. What is hidden beneath
# another mount cannot be had by its name, and stays.
awk '$2 ~ "^/run/(netns|dockerlab|docker)(/|$)|^/var/lib/(dockerlab|docker)/" { print $2 }' /proc/mounts |
    tac | while read -r where; do umount -l "$where" 2>/dev/null || true; done

mount -t sysfs sysfs /sys
. "${0%/*}/cgroups.sh"
mount_groups ""

if [ "$image" ]; then mount -o loop,noatime "$image" "$storage"; fi
mount --bind "$storage" /var/lib/dockerlab
mount -t tmpfs -o mode=0700 dockerlab /run/dockerlab
echo "$name $users" >/run/dockerlab/place
mount -t tmpfs -o mode=0755 dockerlab /run/netns
ip link set lo up

echo ready >&3
exec 3>&-
# Reaps what loses its parent, and is there until it is killed.
while :; do
    sleep 2147483647 &
    wait
done
