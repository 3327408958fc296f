#!/bin/sh
# ipv6: the part of host local
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

# Create bridge network dual: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.6.0/24  the containers' addresses come from here
#   --subnet fd00:6::/64    the containers' addresses come from here
#   --gateway fd00:6::1     the default route of the containers
#   --ipv6                  IPv6 as well
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.6.0/24 \
  --subnet fd00:6::/64 \
  --gateway fd00:6::1 \
  --ipv6 \
  --label dockerlab.lab=ipv6 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=5ffd8e5b7688 \
  dual

# Start container fixed
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name fixed                  what the definition, the other commands and DNS call it
#   --network dual                its place on the first network
#   --ip 172.28.6.6               fixed, so that the definition can speak of it
#   --ip6 fd00:6::6               fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name fixed \
  --network dual \
  --ip 172.28.6.6 \
  --ip6 fd00:6::6 \
  --label dockerlab.lab=ipv6 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=496bfe6811e7 \
  dockerlab/node

# Start container free
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name free                   what the definition, the other commands and DNS call it
#   --network dual                its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name free \
  --network dual \
  --label dockerlab.lab=ipv6 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3b87660394fd \
  dockerlab/node
