#!/bin/sh
# l3: the part of host local
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

# Create ipvlan network far: containers on the LAN of eth0
#   --driver ipvlan       every container shares the parent's MAC address; no bridge, no NAT
#   --subnet 10.9.0.0/24  the containers' addresses come from here
#   --opt parent=eth0     the interface that carries the frames
#   --opt ipvlan_mode=l3  neighbours on the LAN (l2), or routed by the host (l3, l3s)
#   --label …             whose it is: `down` goes by this
docker network create \
  --driver ipvlan \
  --subnet 10.9.0.0/24 \
  --opt parent=eth0 \
  --opt ipvlan_mode=l3 \
  --label dockerlab.lab=l3 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=be3b877523eb \
  far

# Create ipvlan network further: containers on the LAN of eth0
#   --driver ipvlan       every container shares the parent's MAC address; no bridge, no NAT
#   --subnet 10.8.0.0/24  the containers' addresses come from here
#   --opt parent=eth0     the interface that carries the frames
#   --opt ipvlan_mode=l3  an option of the driver; an unknown one is ignored in silence
#   --label …             whose it is: `down` goes by this
docker network create \
  --driver ipvlan \
  --subnet 10.8.0.0/24 \
  --opt parent=eth0 \
  --opt ipvlan_mode=l3 \
  --label dockerlab.lab=l3 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=407a3998f254 \
  further

# Start container c
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name c                      what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name c \
  --network bridge \
  --label dockerlab.lab=l3 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=9f1b03b4ea5e \
  dockerlab/node

# Start container a
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name a                      what the definition, the other commands and DNS call it
#   --network far                 its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name a \
  --network far \
  --label dockerlab.lab=l3 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=c83002e1f20c \
  dockerlab/node

# Start container b
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name b                      what the definition, the other commands and DNS call it
#   --network further             its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name b \
  --network further \
  --label dockerlab.lab=l3 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=9713b1dc2a46 \
  dockerlab/node
