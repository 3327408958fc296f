# Mount every hierarchy of control groups that this machine has below a root (argument 1), with our own group as the root
# of what is seen there. For a process in a namespace of control groups of its own.
mount_groups() {
    root=$1
    # Each hierarchy: its type, where it is, and what it was mounted with.
    hierarchies=$(awk '$3 ~ /^cgroup2?$/ && $2 ~ "^/sys/fs/cgroup" && !told[$2]++ { print $3, $2, $4 }' /proc/mounts)
    case $hierarchies in
        "cgroup2 /sys/fs/cgroup "* | "") ;;
        *) mount -t tmpfs -o mode=0755 tmpfs "$root/sys/fs/cgroup" ;;
    esac
    flags='r[wo]|no(suid|dev|exec|atime)|relatime|xattr|nsdelegate|favordynmods|memory_(recursiveprot|localevents|hugetlb_accounting)'
    echo "$hierarchies" | while read -r type where options; do
        [ "$type" ] || continue
        controllers=$(echo "$options" | tr , '\n' | grep -vxE "$flags" | paste -sd,)
        case $controllers in name=*) controllers=none,$controllers ;; esac
        mkdir -p "$root$where"
        mount -t "$type" ${controllers:+-o "$controllers"} cgroup "$root$where"
        # In version 2 a group has either processes or controllers to hand on.
        [ "$type" = cgroup ] || { mkdir -p "$root$where/self" && echo $$ >"$root$where/self/cgroup.procs"; }
    done
}
