#!/bin/sh
# ipvlan-private: the part of host local
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

# Create ipvlan network apart: containers on the LAN of eth0.50
#   --driver ipvlan            every container shares the parent's MAC address; no bridge, no NAT
#   --subnet 192.168.50.0/24   the containers' addresses come from here
#   --gateway 192.168.50.1     the default route of the containers
#   --opt parent=eth0.50       the interface that carries the frames
#   --opt ipvlan_flag=private  an option of the driver; an unknown one is ignored in silence
#   --label …                  whose it is: `down` goes by this
docker network create \
  --driver ipvlan \
  --subnet 192.168.50.0/24 \
  --gateway 192.168.50.1 \
  --opt parent=eth0.50 \
  --opt ipvlan_flag=private \
  --label dockerlab.lab=ipvlan-private --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=bfae6431f682 \
  apart

# Start container a
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name a                      what the definition, the other commands and DNS call it
#   --network apart               its place on the first network
#   --ip 192.168.50.10            fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name a \
  --network apart \
  --ip 192.168.50.10 \
  --label dockerlab.lab=ipvlan-private --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=ca5bfd860a94 \
  dockerlab/node

# Start container b
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name b                      what the definition, the other commands and DNS call it
#   --network apart               its place on the first network
#   --ip 192.168.50.11            fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name b \
  --network apart \
  --ip 192.168.50.11 \
  --label dockerlab.lab=ipvlan-private --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=cff796f4a8c4 \
  dockerlab/node
