#!/bin/sh
# words: the part of host local
set -eu

# The image dockerlab/node: a static busybox and its names
docker image inspect dockerlab/node >/dev/null 2>&1 || (
  umask 022; stay='CMD ["sh","-c","trap exit TERM INT; while :; do sleep 3600 & wait; done"]'
  root=$(mktemp -d) && cd "$root" && mkdir bin dev etc proc root sys tmp var www && chmod 1777 tmp &&
  cp "$(command -v busybox)" bin/busybox &&
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >etc/passwd &&
  printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group &&
  printf 'dockerlab\n' >www/index.html &&
  for name in $(bin/busybox --list); do [ "$name" = busybox ] || ln -s busybox "bin/$name"; done &&
  tar -c bin dev etc proc root sys tmp var www | docker import --change "$stay" --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - dockerlab/node &&
  rm -r "$root"
)

# Create bridge network front: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.1.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.1.0/24 \
  --label dockerlab.lab=words --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=dd8af35f93b4 \
  front

# Create bridge network rear: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.2.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.2.0/24 \
  --label dockerlab.lab=words --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=481a94e70d43 \
  rear

# Create bridge network six: a Linux bridge on this host alone
#   --driver bridge        a switch in the kernel; the host is its router
#   --subnet fd00:28::/64  the containers' addresses come from here
#   --ipv4=false           no IPv4 at all
#   --ipv6                 IPv6 as well
#   --label …              whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet fd00:28::/64 \
  --ipv4=false \
  --ipv6 \
  --label dockerlab.lab=words --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=2025e04f0081 \
  six

# Create volume site: what is in it outlives its containers, and goes with the lab
#   --label …  whose it is: `down` goes by this
docker volume create \
  --label dockerlab.lab=words --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=6b589b4c5d01 \
  site

# Start container peer
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name peer                   what the definition, the other commands and DNS call it
#   --network six                 its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name peer \
  --network six \
  --label dockerlab.lab=words --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=16385e732c06 \
  dockerlab/node

# Attach peer to network rear as well
docker network connect rear peer

# Start container job
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name job                    what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --mount …                     what it sees of other file systems
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name job \
  --network bridge \
  --mount type=volume,source=site,target=/www \
  --label dockerlab.lab=words --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=4fc3ef837449 \
  dockerlab/node \
  true

# Wait until container job has done its work
sh -c 'rc=$(docker wait "$1") || exit 1
test "$rc" = 0 || { echo "$1 ended with exit code $rc" >&2; exit 1; }' wait job

# Start container web
#   --detach --interactive --tty     in the background, with a terminal: a shell as main process then stays
#   --name web                       what the definition, the other commands and DNS call it
#   --network …                      its place on the first network
#   --mac-address 02:42:ac:1c:01:0a  its MAC address on its first network
#   --mount …                        what it sees of other file systems
#   --mount …                        what it sees of other file systems
#   --restart unless-stopped         when the engine starts it again
#   --health-cmd …                   well is where this ends with 0
#   --health-interval 5s             between two looks
#   --memory 64m                     how much memory it gets at most
#   --label …                        whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name web \
  --network name=front,driver-opt=com.docker.network.endpoint.ifname=left \
  --mac-address 02:42:ac:1c:01:0a \
  --mount type=volume,source=site,target=/www,readonly \
  --mount type=bind,source=/srv,target=/srv \
  --restart unless-stopped \
  --health-cmd 'wget -q -O /dev/null http://127.0.0.1/etc/hostname' \
  --health-interval 5s \
  --memory 64m \
  --label dockerlab.lab=words --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=d2e4a585cef5 \
  dockerlab/node \
  httpd \
  -f \
  -p \
  80

# Attach web to network rear as well
#   --gw-priority 5  the network with the largest gives the default route
#   --driver-opt …   what its interface is called
docker network connect \
  --gw-priority 5 \
  --driver-opt com.docker.network.endpoint.ifname=right \
  rear web

# Attach web to network six as well
docker network connect six web

# Wait until container web is well, by its healthcheck
sh -c 'while :; do
  is=$(docker inspect --format '"'"'{{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}'"'"' "$1") || exit 1
  case $is in
    "running healthy") exit 0 ;;
    "running starting" | "created "*) sleep 1 ;;
    *) echo "$1 is not well: $is" >&2; exit 1 ;;
  esac
done' wait web

# Start container beside
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name beside                 what the definition, the other commands and DNS call it
#   --network container:web       that container's network namespace: same interfaces, addresses and ports
#   --pid container:web           whose processes it sees
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name beside \
  --network container:web \
  --pid container:web \
  --label dockerlab.lab=words --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=a1438b5031f5 \
  dockerlab/node
