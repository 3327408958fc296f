#!/bin/sh
# One LAN across two hosts, one MAC address a host: the part of host vm0
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

# Create ipvlan network ipvlan50: containers on the LAN of eth0.50
#   --driver ipvlan           every container shares the parent's MAC address; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0.50      the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver ipvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0.50 \
  --label dockerlab.lab=ipvlan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=9dcc46b8634b \
  ipvlan50

# Start container left
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name left                   what the definition, the other commands and DNS call it
#   --network ipvlan50            its place on the first network
#   --ip 192.168.22.210           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name left \
  --network ipvlan50 \
  --ip 192.168.22.210 \
  --label dockerlab.lab=ipvlan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=7a6f69057bf0 \
  dockerlab/node

#!/bin/sh
# One LAN across two hosts, one MAC address a host: the part of host vm1
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

# Create ipvlan network ipvlan50: containers on the LAN of eth0.50
#   --driver ipvlan           every container shares the parent's MAC address; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0.50      the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver ipvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0.50 \
  --label dockerlab.lab=ipvlan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=9dcc46b8634b \
  ipvlan50

# Start container right
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name right                  what the definition, the other commands and DNS call it
#   --network ipvlan50            its place on the first network
#   --ip 192.168.22.211           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name right \
  --network ipvlan50 \
  --ip 192.168.22.211 \
  --label dockerlab.lab=ipvlan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=838e1a45bd0c \
  dockerlab/node
