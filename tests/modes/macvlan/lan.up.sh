#!/bin/sh
# macvlan-lan: the part of host vm0
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

# Create macvlan network lan: containers straight on the LAN of eth0
#   --driver macvlan          every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0         the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0 \
  --label dockerlab.lab=macvlan-lan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=450660069c16 \
  lan

# Start container plain
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name plain                  what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name plain \
  --network bridge \
  --label dockerlab.lab=macvlan-lan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=4adbe0287be3 \
  dockerlab/node

# Start container bare
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name bare                   what the definition, the other commands and DNS call it
#   --network host                the host's own network namespace: its interfaces, addresses, routes and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name bare \
  --network host \
  --label dockerlab.lab=macvlan-lan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=73304e6b5186 \
  dockerlab/node

# Start container a
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name a                      what the definition, the other commands and DNS call it
#   --network lan                 its place on the first network
#   --ip 192.168.22.200           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name a \
  --network lan \
  --ip 192.168.22.200 \
  --label dockerlab.lab=macvlan-lan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=adaf08ccbbd2 \
  dockerlab/node

#!/bin/sh
# macvlan-lan: the part of host vm1
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

# Create macvlan network lan: containers straight on the LAN of eth0
#   --driver macvlan          every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0         the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0 \
  --label dockerlab.lab=macvlan-lan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=450660069c16 \
  lan

# Start container b
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name b                      what the definition, the other commands and DNS call it
#   --network lan                 its place on the first network
#   --ip 192.168.22.201           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name b \
  --network lan \
  --ip 192.168.22.201 \
  --label dockerlab.lab=macvlan-lan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=755f32b37439 \
  dockerlab/node
