#!/bin/sh
# l2: the part of host vm0
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

# Create ipvlan network near: containers on the LAN of eth0
#   --driver ipvlan           every container shares the parent's MAC address; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0         the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver ipvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0 \
  --label dockerlab.lab=l2 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=60124969d67a \
  near

# Start container a
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name a                      what the definition, the other commands and DNS call it
#   --network near                its place on the first network
#   --ip 192.168.22.210           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name a \
  --network near \
  --ip 192.168.22.210 \
  --label dockerlab.lab=l2 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=e6d30cb2e030 \
  dockerlab/node

# Start container b
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name b                      what the definition, the other commands and DNS call it
#   --network near                its place on the first network
#   --ip 192.168.22.211           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name b \
  --network near \
  --ip 192.168.22.211 \
  --label dockerlab.lab=l2 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=01b82ea73fac \
  dockerlab/node

#!/bin/sh
# l2: the part of host vm1
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

# Create ipvlan network near: containers on the LAN of eth0
#   --driver ipvlan           every container shares the parent's MAC address; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0         the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver ipvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0 \
  --label dockerlab.lab=l2 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=60124969d67a \
  near

# Start container c
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name c                      what the definition, the other commands and DNS call it
#   --network near                its place on the first network
#   --ip 192.168.22.212           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name c \
  --network near \
  --ip 192.168.22.212 \
  --label dockerlab.lab=l2 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1441c36e70ac \
  dockerlab/node
